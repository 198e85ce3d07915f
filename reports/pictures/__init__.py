"""Pictures of a report: kept beside the results, chosen as cases, shown as films, within a budget of bytes."""
