"""Where an artefact comes from: sentences, fingerprints, the plan, records, and how to read them back."""
