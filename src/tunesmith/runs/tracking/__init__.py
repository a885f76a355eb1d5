"""Trackers: tools that show studies of many people, such as MLflow."""
