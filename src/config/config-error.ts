/** What is wrong with one setting, to be put after its name. */
export class Fault extends Error {}

/** What is wrong with the settings, each fault a sentence that names its setting. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'

  constructor(readonly faults: readonly string[]) {
    super(faults.join('\n'))
  }
}
