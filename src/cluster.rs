//! The one handle to the Kubernetes API.
