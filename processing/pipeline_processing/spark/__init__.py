"""Everything that touches Spark and is not a job: the session, the sources, and what the queries report."""
