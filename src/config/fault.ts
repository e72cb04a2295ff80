/** What is wrong with one setting, to be put after its name. */
export class Fault extends Error {}
