import { Command, InvalidArgumentError, Option } from 'commander'
import { type Role, ROLES } from '../auth/role.ts'
import { isName, NAME_RULE } from '../auth/tokens.ts'
import { type GivenSettings, type Setting, SETTINGS, variableOf } from './settings.ts'

/** `campaignd token create`. */
export interface CreateTokenCommand {
  readonly kind: 'create-token'
  readonly name: string
  readonly role: Role
}

/** Reads the command line and the environment: the settings of a service as they were given, or another command. */
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

function serveCommand(env: NodeJS.ProcessEnv, version: string): Command {
  const command = new Command('campaignd')
    .description('Keeps the manifests of benchmark campaigns: durable, over HTTP, resumable after any crash.')
    .version(version)
    .allowExcessArguments(false)
    // With a command beside it, it would print its help instead.
    .action(() => undefined)
    .addHelpText('after', '\nEach option can be set in the environment too, by the name in parentheses. The flag wins.')
  for (const [setting, { flag, fallback, about }] of Object.entries(SETTINGS)) {
    const name = variableOf(setting as Setting)
    command.addOption(new Option(flag, `${about} (${name})`).default(env[name] ?? fallback, fallback))
  }
  return command
}

function createTokenCommand(chosen: { command?: CreateTokenCommand }): Command {
  return new Command('create')
    .description('make a token; it is printed once, with the line for the tokens file, and not stored')
    .requiredOption('--name <name>', 'name of its holder, for the log', readName)
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .action((options: Omit<CreateTokenCommand, 'kind'>) => {
      chosen.command = { kind: 'create-token', ...options }
    })
}

function readName(text: string): string {
  if (!isName(text)) throw new InvalidArgumentError(`${NAME_RULE}.`)
  return text
}
