/**
 * Milliseconds within which anything comes that comes at all. Never what is tested: far above what it takes on a machine that is
 * busy with other things, and below what it would take where the promise is broken and a wait of a minute runs out.
 */
export const PATIENCE = 30_000
