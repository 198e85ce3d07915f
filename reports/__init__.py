"""Results in; HTML, Markdown and CSV out. Knows nothing of networks: no torch, no metrics, no models.

`results` is the schema of results.json, `table` the rows and columns that every output shares,
`html` the report, `markdown` the tables for a README, a terminal or a spreadsheet.
"""

import smoothswap.plumbing.first  # noqa: F401
