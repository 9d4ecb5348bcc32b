"""The stage that computes: Spark jobs over topics, into stores.

Pure arithmetic lives in `sketch`, `partials` and `windows`; what touches Spark lives in `spark` and `jobs`; `driver` is
the service.
"""
