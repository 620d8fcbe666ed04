"""Code systems with a published hierarchy: ICD-9-CM, ICD-10 and ICD-10-CM diagnosis codes."""
