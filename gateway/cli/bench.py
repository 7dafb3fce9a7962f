"""`zen bench`: how near to the limit, on recorded buildings and beside published methods."""

import typer

from gateway.cli import (
    bench_all,
    bench_citylearn,
    bench_closed_loop,
    bench_home,
    bench_minute,
    bench_peers,
    bench_plan,
    bench_solarhome,
)

app = typer.Typer(help="Recorded buildings lived again in virtual time, beside published methods and the limit.")
app.command("solarhome")(bench_solarhome.solarhome)
app.command("home")(bench_home.home)
app.command("citylearn")(bench_citylearn.citylearn)
app.command("minute")(bench_minute.minute)
app.command("closed-loop")(bench_closed_loop.closed_loop)
app.command("peers")(bench_peers.peers)
app.command("all")(bench_all.everything)
app.command("page")(bench_all.page)
app.command("plan")(bench_plan.plan)
