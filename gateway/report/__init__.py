"""What is made of the figures for people elsewhere; nothing here but its folders."""
