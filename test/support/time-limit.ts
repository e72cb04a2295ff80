/**
 * Milliseconds within which what is waited for happens, if it happens at all. Never what is tested: far above what a busy machine
 * takes, and below the minute that the product waits where the promise is broken.
 */
export const TIME_LIMIT = 30_000
