"""Dashboards, alert rules and provisioning of Grafana, written from the schema of the database."""
