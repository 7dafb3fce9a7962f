"""Measurements of quarter hours, plans, decisions and alarms: kept for ever."""

from gateway.database.schema import Bucket, Column, Kind, Measurement

DEVICE = ("device", "role")
EACH_QUARTER = "for each quarter hour; its time is when that begins"
SENTENCE = Column(name="sentence", what="the same in the site's language", kind=Kind.TEXT)
REASON = Column(name="reason", what="code of [reasons.md](reasons.md)", kind=Kind.TEXT)
ACCOUNTED = (
    Measurement(
        name="account",
        what="What flowed in the building in a quarter hour, and what it cost. Flows: PV serves the building first, "
        "then batteries, then the grid.",
        when=EACH_QUARTER,
        bucket=Bucket.QUARTERS,
        tags=(),
        columns=(
            Column(name="import_wh", what="from the grid"),
            Column(name="export_wh", what="into the grid"),
            Column(name="pv_wh", what="produced by all PV"),
            Column(name="charge_wh", what="into all batteries"),
            Column(name="discharge_wh", what="out of all batteries"),
            Column(name="used_wh", what="by all that the building uses, without what batteries store"),
            Column(name="curtailed_wh", what="that PV could have given more"),
            Column(name="stored_wh", what="in all batteries at its end, above empty"),
            Column(name="pv_to_load_wh", what="flow"),
            Column(name="pv_to_battery_wh", what="flow"),
            Column(name="pv_to_grid_wh", what="flow"),
            Column(name="battery_to_load_wh", what="flow"),
            Column(name="battery_to_grid_wh", what="flow"),
            Column(name="grid_to_load_wh", what="flow"),
            Column(name="grid_to_battery_wh", what="flow"),
            Column(name="cost_eur", what="of what was imported, at the price of a kWh in force, taxes included"),
            Column(name="revenue_eur", what="for what was exported"),
            Column(
                name="battery_eur",
                what="what the batteries brought: the import that they spared and what they sold, less what they "
                "bought and the sale of PV that they took",
            ),
            Column(name="co2_g", what="of what was imported"),
            Column(name="seen_pct", what="share of its seconds in which the gateway ran"),
        ),
    ),
    Measurement(
        name="account_device",
        what="What went through one device in a quarter hour.",
        when=EACH_QUARTER,
        bucket=Bucket.QUARTERS,
        tags=DEVICE,
        columns=(
            Column(name="drawn_wh", what="from the building into it; of the grid: exported"),
            Column(name="given_wh", what="from it into the building; of the grid: imported"),
            Column(name="is_new_counter", what="1 where its counter was reset, swapped or rolled over in it, else 0"),
            Column(name="source", what="counter, power, part or unknown: how this is known", kind=Kind.TEXT),
        ),
    ),
    Measurement(
        name="account_load",
        what="What one named load used in a quarter hour; `device` is its name in the site file.",
        when=EACH_QUARTER,
        bucket=Bucket.QUARTERS,
        tags=DEVICE,
        columns=(
            Column(name="used_wh", what="all that it used"),
            Column(name="of_sun_wh", what="of that, from PV at once"),
            Column(name="of_battery_wh", what="of that, from batteries"),
            Column(name="cost_eur", what="of the rest, which came from the grid"),
        ),
    ),
    Measurement(
        name="price",
        what="What a kWh costs.",
        when="for each quarter hour, known and coming ones; a newer one of the same quarter hour takes its place",
        bucket=Bucket.QUARTERS,
        tags=(),
        columns=(
            Column(name="buy_eur_per_kwh", what="imported, taxes included"),
            Column(name="sell_eur_per_kwh", what="exported"),
            Column(name="co2_g_per_kwh", what="of the grid"),
            Column(name="period", what="the tariff's name of it, such as HP", kind=Kind.TEXT),
        ),
    ),
    Measurement(
        name="plan",
        what="The plan of the building. Each new plan takes the place of the one before it: what is left of a slot "
        "that began is the last plan made before that.",
        when="for each slot of a plan, when that is made; its time is when the slot begins",
        bucket=Bucket.QUARTERS,
        tags=(),
        columns=(
            Column(name="made_s", what="when the plan was made (UTC, seconds since 1970)"),
            Column(name="charge_pct", what="charged from the grid up to there; 0: not at all"),
            Column(name="reserve_pct", what="kept for later"),
            Column(name="fill_pct", what="surplus is stored up to there"),
            Column(name="export_pct", what="sold above it"),
            Column(name="soc_pct", what="expected state of charge at the slot's end"),
            Column(name="net_w", what="expected load and PV together, import positive"),
            Column(name="load_low_w", what="forecast of the base load: one of ten futures is lower"),
            Column(name="load_mid_w", what="half of them are lower"),
            Column(name="load_high_w", what="one of ten is higher"),
            Column(name="pv_low_w", what="forecast of PV (production negative): one of ten futures has less"),
            Column(name="pv_mid_w", what="half of them have less"),
            Column(name="pv_high_w", what="one of ten has more"),
            Column(name="value_eur_per_kwh", what="worth of the last kWh stored at its end"),
            REASON,
            SENTENCE,
        ),
    ),
    Measurement(
        name="load_plan",
        what="What the plan lets one load do; `device` is its name in the site file.",
        when="as `plan`",
        bucket=Bucket.QUARTERS,
        tags=DEVICE,
        columns=(
            Column(name="p_w", what="mean power"),
            Column(name="surplus_w", what="of that, expected surplus"),
            REASON,
            SENTENCE,
        ),
    ),
    Measurement(
        name="decision",
        what="Why a device is sent what it is sent, as people read it.",
        when="when the mode changes, when the reason does (once a minute at most), and again at each quarter hour",
        bucket=Bucket.QUARTERS,
        tags=DEVICE,
        columns=(
            Column(name="p_set_w", what="set-point, drawn positive; absent while the device has its own mode"),
            Column(name="mode", what="control, hold, release or watch", kind=Kind.TEXT),
            REASON,
            SENTENCE,
        ),
    ),
    Measurement(
        name="alarm",
        what="What a person should look at.",
        when="when it begins and ends, and again at each quarter hour while it lasts",
        bucket=Bucket.QUARTERS,
        tags=DEVICE,
        columns=(
            Column(name="is_on", what="1 while it lasts, 0 when it ends"),
            Column(name="code", what="what it is", kind=Kind.TEXT),
            SENTENCE,
        ),
    ),
    Measurement(
        name="event",
        what="What a reader of counters must know: a counter goes on from another value.",
        when="when it happens",
        bucket=Bucket.QUARTERS,
        tags=DEVICE,
        columns=(
            Column(name="before_wh", what="what the counter showed"),
            Column(name="after_wh", what="what it shows now"),
            Column(name="code", what="what has happened", kind=Kind.TEXT),
            Column(name="point", what="the counter", kind=Kind.TEXT),
        ),
    ),
    Measurement(
        name="gap",
        what="Lines that never reached the database, because there was no room to keep them.",
        when="when they went: its begin",
        bucket=Bucket.QUARTERS,
        tags=(),
        is_of_building=False,
        columns=(
            Column(name="duration_s", what="from the first of them to the last"),
            Column(name="lines", what="how many they were"),
            Column(name="measurements", what="which, with how many of each", kind=Kind.TEXT),
        ),
    ),
)
