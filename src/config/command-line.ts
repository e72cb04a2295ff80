import { Command, InvalidArgumentError, Option } from 'commander'
import { type Role, ROLES } from '../auth/role.ts'
import { isName, NAME_RULE } from '../auth/tokens.ts'
import {
  flagOf,
  type GivenSettings,
  REMOVED_SETTINGS,
  type RemovedSetting,
  type Setting,
  SETTINGS,
  variableOf,
} from './settings.ts'

/** `campaignd token create`. */
export interface CreateTokenCommand {
  readonly kind: 'create-token'
  readonly name: string
  readonly role: Role
}

/** The settings of a service as the command line and the environment give them, or another command. */
export function readCommandLine(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  version: string,
): GivenSettings | CreateTokenCommand {
  const chosen: { command?: CreateTokenCommand } = {}
  const program = serveCommand(env, version)
  program.command('token').description('make tokens for the tokens file').addCommand(createTokenCommand(chosen))
  program.parse(argv)
  return chosen.command ?? program.opts<GivenSettings>()
}

type Entry = [Setting, (typeof SETTINGS)[Setting]]

function serveCommand(env: NodeJS.ProcessEnv, version: string): Command {
  const command = new Command('campaignd')
    .description('Keeps the manifests of benchmark campaigns: durable, over HTTP, resumable after any crash.')
    .version(version)
    .allowExcessArguments(false)
    // A command that has subcommands and no action prints its help.
    .action(() => undefined)
    .addHelpText('after', '\nEach option can be set in the environment too, by the name in parentheses. The flag wins.')
  for (const [name, { value, fallback, about }] of Object.entries(SETTINGS) as Entry[]) {
    const variable = variableOf(name)
    const option = new Option(`${flagOf(name)} <${value}>`, `${about} (${variable})`)
    command.addOption(option.default(env[variable] ?? fallback, fallback))
  }
  for (const name of Object.keys(REMOVED_SETTINGS) as RemovedSetting[]) {
    command.addOption(new Option(`${flagOf(name)} <value>`).default(env[variableOf(name)]).hideHelp())
  }
  return command
}

function createTokenCommand(chosen: { command?: CreateTokenCommand }): Command {
  return new Command('create')
    .description('make a token; it is printed once, with its line for the tokens file, and not stored')
    .requiredOption('--name <name>', 'name of its owner, for the log', readName)
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .action((options: Omit<CreateTokenCommand, 'kind'>) => {
      chosen.command = { kind: 'create-token', ...options }
    })
}

function readName(text: string): string {
  if (!isName(text)) throw new InvalidArgumentError(`${NAME_RULE}.`)
  return text
}
