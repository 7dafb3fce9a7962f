"""`zen bench`: how near to the limit, on recorded buildings and beside published methods."""

import typer

from gateway.cli.bench.all import everything, page
from gateway.cli.bench.citylearn import citylearn
from gateway.cli.bench.closed_loop import closed_loop
from gateway.cli.bench.home import home
from gateway.cli.bench.minute import minute
from gateway.cli.bench.peers import peers
from gateway.cli.bench.plan import plan
from gateway.cli.bench.solarhome import solarhome
from gateway.cli.bench.study import study

app = typer.Typer(help="Recorded buildings lived again in virtual time, beside published methods and the limit.")
app.command("solarhome")(solarhome)
app.command("home")(home)
app.command("citylearn")(citylearn)
app.command("minute")(minute)
app.command("closed-loop")(closed_loop)
app.command("peers")(peers)
app.command("all")(everything)
app.command("page")(page)
app.command("plan")(plan)
app.command("study")(study)
