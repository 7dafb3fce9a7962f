"""Measurements of what was read and done each second or minute: kept 90 days."""

from gateway.database.schema import Bucket, Column, ColumnFamily, Kind, Measurement

DEVICE = ("device", "role")
EACH_READING = "at each reading of the device, with its own time"
POINTS = ColumnFamily(
    pattern=r"(?!.*_l[123]_)(?!soc$)[a-z][a-z0-9_]*",
    shown="any other point",
    what="each further point that the device has, by its name in [points.md](points.md)",
)
POWER = Column(name="p_w", what="power, drawn from the building positive")
MEASURED = (
    Measurement(
        name="grid",
        what="The grid meter.",
        when=EACH_READING,
        bucket=Bucket.RAW,
        tags=DEVICE,
        columns=(
            Column(name="p_w", what="power, import positive"),
            Column(name="e_import_wh", what="counter of imported energy"),
            Column(name="e_export_wh", what="counter of exported energy"),
        ),
        families=(POINTS,),
    ),
    Measurement(
        name="pv",
        what="An inverter or a meter of PV production.",
        when=EACH_READING,
        bucket=Bucket.RAW,
        tags=DEVICE,
        columns=(
            Column(name="p_w", what="power: production is negative"),
            Column(name="e_produced_wh", what="counter of produced energy"),
        ),
        families=(POINTS,),
    ),
    Measurement(
        name="battery",
        what="A battery system.",
        when=EACH_READING,
        bucket=Bucket.RAW,
        tags=DEVICE,
        columns=(
            Column(name="p_w", what="power, charging positive"),
            Column(name="soc_pct", what="state of charge"),
            Column(name="e_charge_wh", what="counter of energy charged"),
            Column(name="e_discharge_wh", what="counter of energy discharged"),
        ),
        families=(POINTS,),
    ),
    Measurement(
        name="load",
        what="A load or its meter.",
        when=EACH_READING,
        bucket=Bucket.RAW,
        tags=DEVICE,
        columns=(
            POWER,
            Column(name="temp_c", what="temperature of what it warms"),
            Column(name="e_import_wh", what="counter of energy used"),
        ),
        families=(POINTS,),
    ),
    Measurement(
        name="phase",
        what="The single phases of a device. Apart from the whole, so that no sum counts a power twice.",
        when=EACH_READING,
        bucket=Bucket.RAW,
        tags=(*DEVICE, "phase"),
        columns=(
            POWER,
            Column(name="u_v", what="voltage"),
            Column(name="i_a", what="current"),
        ),
        families=(
            ColumnFamily(
                pattern="[a-z][a-z0-9_]*", shown="any other point", what="each further point of one phase, without it"
            ),
        ),
    ),
    Measurement(
        name="site",
        what="The whole building in one cycle: each power is that of all devices of a role.",
        when="at each cycle, once a second",
        bucket=Bucket.RAW,
        tags=(),
        columns=(
            Column(name="grid_w", what="grid, import positive"),
            Column(name="pv_w", what="all PV: production is negative; absent while one inverter is not known"),
            Column(name="battery_w", what="all batteries, charging positive"),
            Column(name="loads_w", what="all loads that are metered on their own"),
            Column(name="load_w", what="base load: what the building draws without the loads above"),
            Column(name="load_low_w", what="the least that it may be, while a device says nothing"),
            Column(name="load_high_w", what="the most that it may be, while a device says nothing"),
            Column(name="soc_pct", what="state of charge of all batteries together"),
            Column(name="is_curtailed", what="1 while PV power is limited, else 0"),
            Column(name="assumed", what="devices whose power is assumed and not read", kind=Kind.TEXT),
            Column(name="unknown", what="devices whose power is not known", kind=Kind.TEXT),
        ),
    ),
    Measurement(
        name="control",
        what="What a device is sent in one cycle, and why as a code. The sentence is in `decision`.",
        when="at each cycle, once a second",
        bucket=Bucket.RAW,
        tags=DEVICE,
        columns=(
            Column(name="p_set_w", what="set-point, drawn positive; absent while the device has its own mode"),
            Column(name="mode", what="control, hold, release or watch", kind=Kind.TEXT),
            Column(name="reason", what="code of [reasons.md](reasons.md)", kind=Kind.TEXT),
        ),
        families=(
            ColumnFamily(
                pattern=r"why_[a-z][a-z0-9_]*",
                shown="`why_…`",
                what="each number of the reason, by its name there",
                texts=("why_other", "why_place", "why_phase"),
            ),
        ),
    ),
    Measurement(
        name="health",
        what="What a device did not say, and what it does with its orders: changes, not cycles.",
        when="when it changes",
        bucket=Bucket.RAW,
        tags=DEVICE,
        columns=(
            Column(name="order_asked_w", what="set-point that was sent"),
            Column(name="order_applied_w", what="set-point that it took"),
            Column(name="order_held_w", what="set-point as read back from it"),
            Column(name="order_by", what="applied, safe, expired or released", kind=Kind.TEXT),
            Column(name="order_why", what="what went wrong last", kind=Kind.TEXT),
        ),
        families=(
            ColumnFamily(
                pattern=r"[a-z][a-z0-9_]*_why",
                shown="`…_why`",
                what="why the point of that name is absent, such as `timeout`",
                kind=Kind.TEXT,
            ),
        ),
    ),
    Measurement(
        name="device",
        what="How fresh the readings of a device are.",
        when="once a minute",
        bucket=Bucket.RAW,
        tags=DEVICE,
        columns=(
            Column(name="age_s", what="of the last power (or of what proves the device); absent before the first"),
            Column(name="is_good", what="1 where it is fresh, 0 where it is late or absent"),
            Column(name="quality", what="good, stale or absent", kind=Kind.TEXT),
            Column(name="answers", what="answers to polls since the node began"),
            Column(name="timeouts", what="polls without an answer since the node began"),
            Column(name="errors", what="answers that were damaged or refused since the node began"),
            Column(name="answer_ms", what="median of the last answers"),
            Column(name="writes_left", what="writes to wearing registers that are left today (UTC)"),
        ),
    ),
    Measurement(
        name="node",
        what="A node, as it describes itself.",
        when="once a minute, and when it changes",
        bucket=Bucket.RAW,
        tags=DEVICE,
        columns=(
            Column(name="is_up", what="1 while it is at the broker"),
            Column(name="is_heard", what="1 while it sees its records stored"),
            Column(name="is_twin", what="1 while another board has its identity"),
            Column(name="age_s", what="since it was last heard"),
            Column(name="uptime_s", what="since its last start"),
            Column(name="memory_kb", what="free memory"),
            Column(name="waiting", what="records that wait on it"),
            Column(name="lost", what="records that it had to give up"),
            Column(name="restarts", what="jobs of it that were started again"),
            Column(name="build", what="number of its release"),
            Column(name="fw", what="name of its release", kind=Kind.TEXT),
            Column(name="mode", what="run, trial or safe", kind=Kind.TEXT),
            Column(name="why", what="of its last restart", kind=Kind.TEXT),
            Column(name="refused", what="why it did not take its poll table", kind=Kind.TEXT),
            Column(name="update", what="how far a new release has come", kind=Kind.TEXT),
            Column(name="test", what="what its self-test found", kind=Kind.TEXT),
        ),
    ),
    Measurement(
        name="gateway",
        what="The gateway itself.",
        when="once a minute",
        bucket=Bucket.RAW,
        tags=(),
        columns=(
            Column(name="late_ms", what="latest start of a cycle in this minute"),
            Column(name="import_share_pct", what="highest import in this minute, of what may be imported"),
            Column(name="latency_ms", what="median from the meter's sample to the answer of the device"),
            Column(name="waiting", what="rows that wait for the database"),
            Column(name="dropped", what="rows given up for want of room"),
            Column(name="refused", what="values that the database refused"),
            Column(name="memory_mb", what="resident memory"),
            Column(name="is_broker_up", what="1 while the broker is there"),
        ),
    ),
)
