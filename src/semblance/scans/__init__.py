"""From a folder of scans to `Images`, and what is to be said of them before anything is learned."""
