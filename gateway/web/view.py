from typing import Protocol


class View(Protocol):
    """What the page is shown. Called in the gateway's own loop: each answer comes from memory within milliseconds."""

    def state(self) -> dict[str, object]:
        """The last finished cycle as JSON values: powers in W by the sign rule, ages in s as of this call.

        `cycle` rises by one with each cycle of this run; an absent number is None beside its reason. `setpoints`: of
        every commanded device {device, name, kind, role, power_w, mode, reason}, `kind` of a load only; `setpoint` is
        the first of them. `flow.loads_w` is there where loads are planned and metered.
        """
        ...

    def trend(self, hours: float) -> dict[str, list[float | None]]:
        """The last hours up to now: `t` in unix s, rising, and per `t` the mean of the step that starts there.

        Keys `pv_w`, `load_w`, `battery_w`, `grid_w` (W, sign rule) and `soc` (0…1), each as long as `t`, None where
        nothing is known; at most 1500 points.
        """
        ...

    def plan(self) -> dict[str, object]:
        """The plan that holds, one entry per step in each list; empty lists without one, and `why` says why.

        `t` in unix s; `charge`, `reserve`, `fill`, `export`, `expected` as fractions of the whole battery (expected may
        be None); `buy`, `sell` in EUR/kWh; `names` of the tariff; `reasons` as {code, numbers}; `made_s`, `step_s`;
        `notes`: what had to be assumed. `loads`: of each {name, kind, power_w, reasons}, on the same steps.
        """
        ...

    def status(self) -> dict[str, object]:
        """Measures of the gateway itself, any JSON values."""
        ...

    async def changed(self, after: int) -> int:
        """Waits for a cycle number above `after` and returns it; the caller limits the wait."""
        ...
