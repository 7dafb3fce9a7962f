"""From the site file to the contract that a bill is made by."""

from zoneinfo import ZoneInfo

from gateway.adapters import taxes
from gateway.core.accounts.contract import Contract
from gateway.core.pricing.called_days import Days
from gateway.site.assembly.prices import tariff
from gateway.site.file.site_file import SiteFile


def contract(file: SiteFile, *, days: Days) -> Contract:
    """Of a building, with the called days that are known. Raises taxes.TaxesError."""
    section, bought = file.tariff, file.lists.bought
    built = tariff(file, days=days)
    zone = ZoneInfo(file.site.time_zone)
    if section is None or bought is None:
        return Contract(zone=zone, tariff=built)
    kva = section.subscribed_kva
    has_own = set(bought.names) <= set(section.prices)
    return Contract(
        zone=zone,
        tariff=built,
        lists=bought.lists(section.prices),
        subscriptions=() if kva is None else bought.subscriptions(kva),
        known_until=None if has_own else bought.known_until,
        levies=None if bought.taxes is None else taxes.load(bought.taxes).levies(section.network, kva),
    )
