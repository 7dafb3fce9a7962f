"""Peak and off-peak hours of a meter (heures pleines, heures creuses)."""

from dataclasses import dataclass

from gateway.core.pricing.kind import PriceSources, TariffKind
from gateway.core.pricing.off_peak import OffPeakRows, PeakOffPeak
from gateway.core.pricing.tariff import ListTariff


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakOffPeakSettings:
    """Peak and off-peak hours: `off_peak` are the hours of this meter, as on its bill.

    On a day of which no row says anything the price of peak hours is assumed.
    """

    off_peak: OffPeakRows  # the first row that holds on a day decides it

    def tariff(self, sources: PriceSources) -> ListTariff:
        """HP and HC by the hours of the meter."""
        return sources.listed(PeakOffPeak(rows=tuple(hours.row() for hours in self.off_peak)))


KIND = TariffKind(
    id="hphc",
    names=PeakOffPeak(rows=()).names,
    settings=PeakOffPeakSettings,
    example='[tariff]\nfile = "edf_hphc"\n\n[[tariff.off_peak]]\nhours = ["22:38-06:38"]',
)
