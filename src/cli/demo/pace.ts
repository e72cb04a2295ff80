/** Milliseconds that an experiment takes. */
export const SHORTEST = 4_000
export const LONGEST = 11_000
