"""What Grafana reads beside dashboards and rules: data sources, folders, contact points. Secrets are variables."""

from gateway.database.schema import Bucket
from gateway.report.grafana.alerts import FOLDER, FOLDER_UID
from gateway.report.grafana.influxql import SOURCES

NAMES = {Bucket.RAW: "Zen-e-Ville: readings", Bucket.QUARTERS: "Zen-e-Ville: quarter hours"}
BUCKETS = {Bucket.RAW: "$ZEN_INFLUX_BUCKET", Bucket.QUARTERS: "$ZEN_INFLUX_QUARTERS_BUCKET"}
FOLDER_PLACE = "/var/lib/grafana/dashboards/zen"


def sources() -> dict[str, object]:
    """Both buckets, asked in InfluxQL by a token that may only read."""
    return {
        "apiVersion": 1,
        "datasources": [
            {
                "name": NAMES[bucket],
                "uid": uid,
                "type": "influxdb",
                "access": "proxy",
                "url": "$ZEN_INFLUX_URL",
                "editable": False,
                "jsonData": {
                    "dbName": BUCKETS[bucket],
                    "httpMode": "POST",
                    "httpHeaderName1": "Authorization",
                    "timeInterval": "10s",
                },
                "secureJsonData": {"httpHeaderValue1": "Token $ZEN_GRAFANA_INFLUX_TOKEN"},
            }
            for bucket, uid in SOURCES.items()
        ],
    }


def folders() -> dict[str, object]:
    """Where the dashboards are on disk, and their folder."""
    provider = {
        "name": "zen-e-ville",
        "orgId": 1,
        "folder": FOLDER,
        "folderUid": FOLDER_UID,
        "type": "file",
        "disableDeletion": False,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 60,
        "options": {"path": FOLDER_PLACE},
    }
    return {"apiVersion": 1, "providers": [provider]}


def contacts() -> dict[str, object]:
    """To whom alerts go. Which go there is said in docs/grafana.md: a file of policies would replace all others."""
    mail = {"uid": "zen-mail", "type": "email", "settings": {"addresses": "$ZEN_ALERT_MAIL"}}
    return {"apiVersion": 1, "contactPoints": [{"orgId": 1, "name": "zen-e-ville", "receivers": [mail]}]}
