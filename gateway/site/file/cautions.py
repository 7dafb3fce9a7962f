"""What a site file allows and a careful person would not: no mistakes, but said by `zen check`, each with a remedy."""

import ipaddress
from collections.abc import Iterator

from gateway.site.file.sections import BrokerSection


def of_broker(broker: BrokerSection) -> Iterator[tuple[str, dict[str, str]]]:
    """(name of the text, what it speaks of) for each open door of the broker."""
    if broker.user is None:
        yield "check.broker_anonymous", {}
    if broker.ca is None and not is_loopback(broker.host):
        yield "check.broker_plain", {"host": broker.host}
    node_host = broker.node_host or broker.host
    if (broker.node_ca or broker.ca) is None and not is_loopback(node_host):
        yield "check.nodes_plain", {"host": node_host}


def is_loopback(host: str) -> bool:
    """Whether nobody outside of this machine is reached under this name."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
