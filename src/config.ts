import { type CreateTokenCommand, readCommandLine } from './config/command-line.ts'
import { checkSettings, type Config } from './config/config.ts'

export { isLoopback } from './config/addresses.ts'
export { ConfigError } from './config/config-error.ts'
export type { Config }

/** What the process was started for. */
export type ServiceCommand = { readonly kind: 'serve'; readonly config: Config } | CreateTokenCommand

/**
 * Reads the command, with the checked settings of a service. For help or version it prints that and ends the process.
 * @param argv as in `process.argv`
 * @throws ConfigError with all faults
 */
export function readCommand(argv: readonly string[], env: NodeJS.ProcessEnv, version: string): ServiceCommand {
  const given = readCommandLine(argv, env, version)
  return 'kind' in given ? given : { kind: 'serve', config: checkSettings(given) }
}
