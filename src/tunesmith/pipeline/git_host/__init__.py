"""Git hosts: GitHub and GitLab, each behind the same small interface."""
