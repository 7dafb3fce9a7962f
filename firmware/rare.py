"""Every function of the node that is called by a string: its module is loaded for the call and forgotten (ADR 0006).

An import that stays would keep the module in the heap for ever. docs/generate.py prints these tables; a test compares
them with the sources, so that none is missing, none is superfluous, and each call passes what the function takes.
Not for the board.
"""

# (module, function, the modules that call it with node.wait.call, why it is needed now and then only)
RARE = (
    ("boot_count", "settle", ("start",), "the first two minutes of a run, and safe mode"),
    ("poll_table", "load", ("start",), "the table that is kept, at the start"),
    ("poll_table", "switch", ("poll_table",), "a new table takes the place of the one in use"),
    ("poll_table", "take", ("start",), "a message of the topic `cfg`"),
    ("console", "answer", ("usb",), "a line on USB"),
    ("tcp_connect", "call", ("modbus",), "a connection to a unit on TCP"),
    ("tcp_connect", "connect", ("link",), "a connection to the broker"),
    ("shutdown", "node", ("app",), "the end of a run"),
    ("shutdown", "plant", ("poll_table",), "the end of a table"),
    ("shutdown", "safe", ("poll_table", "update"), "safe values before a new table or release"),
    ("led_button", "watch", ("start",), "boards with a lamp or a button"),
    ("mqtt_login", "begin", ("link",), "the beginning of a session with the broker"),
    ("report", "health", ("app",), "the topic `health`, every ten seconds"),
    ("report", "tell", ("poll_table", "start", "trial"), "the state of the node when it changes"),
    ("selftest", "once", ("start", "trial"), "after an update or the setup form"),
    ("board_test", "run", ("selftest",), "the self-test of a board without a place"),
    ("sntp", "follow", ("clock",), "a question for the time, once a minute"),
    ("sunspec", "walk", ("bus",), "a unit with SunSpec models that came into reach"),
    ("late", "alike", ("bus",), "a single question soon after a time-out on a line"),
    ("late", "note", ("bus",), "a question that got no answer"),
    ("trial", "prove", ("start",), "the first five minutes of a new release"),
    ("update", "begin", ("start", "update"), "the first message of an update"),
    ("broker", "find", ("link",), "where the broker is"),
    ("broker", "pause_ms", ("link",), "the pause before the next try"),
)

# What node.hal offers: (name, the module of an ESP32 and that of a computer where it is, the modules that use it). Those
# of a `…_setup` are loaded for the call, too: they are needed once.
HAL = (
    ("WATCHDOG_MS", "hal_esp32", "hal_unix", ("start",)),
    ("access_point", "hal_esp32_setup", "hal_unix_setup", ("setup",)),
    ("button", "hal_esp32_setup", "hal_unix_setup", ("led_button",)),
    ("console", "hal_esp32_setup", "hal_unix_setup", ("usb",)),
    ("led", "hal_esp32_setup", "hal_unix_setup", ("led_button", "setup")),
    ("network", "hal_esp32", "hal_unix", ("start",)),
    ("opener", "hal_esp32", "hal_unix", ("board_test", "poll_table")),
    ("reset", "hal_esp32", "hal_unix_setup", ("app", "setup")),
    ("reset_cause", "hal_esp32_setup", "hal_unix_setup", ("start",)),
    ("set_clock", "hal_esp32_setup", "hal_unix_setup", ("sntp",)),
    ("uid", "hal_esp32_setup", "hal_unix_setup", ("console", "setup")),
    ("watchdog", "hal_esp32_setup", "hal_unix_setup", ("start",)),
)

# What a port loads for a call itself: (port, function of its `…_setup`).
PORTS = (
    ("hal_esp32", "interface"),
    ("hal_esp32", "line"),
    ("hal_unix", "line"),
)
