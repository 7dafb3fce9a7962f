/** The language of this page and its figures. */

import { isZero, speakFigures } from "./figures.js";

export const language = document.documentElement.lang;
export const { figure, number } = speakFigures(language);
export { isZero };
