import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

const MAIN = { regex: '(^|/)main(\\.[jt]s)?$', message: 'main.ts is the composition root: nothing imports it.' }
const PROCESS = {
  regex: '^(node:)?process$',
  message: 'Use the global process; only config.ts and main.ts read its environment.',
}
const DOMAIN_IS_PURE = {
  regex: '^(?!\\./|@sinclair/typebox|immutable$|temporal-polyfill$|node:util$|node:crypto$)',
  message: 'The domain is pure: it imports itself, schemas and values, of Node node:util and createHash.',
}
const NO_RANDOM = {
  regex: '^node:crypto$',
  allowImportNames: ['createHash'],
  message: 'The domain decides the same each time: what is random is an argument.',
}
const REPOSITORY_IS_BELOW_HTTP = {
  regex:
    '^(?!\\.{1,2}/|node:|@sinclair/typebox|ajv(/|$)|proper-lockfile$)|(^|/)(http|leases|live|metrics|auth|cli|config\\.[jt]s)(/|$)',
  message: 'The repository imports itself and the domain, and knows neither HTTP nor the settings.',
}
const SEAM_IS_ABOVE_FILES = {
  regex: '(^|/)file/',
  message: 'repository/file is known to itself, main.ts and the command line only: use ManifestRepository.',
}
const BETWEEN_REPOSITORY_AND_HTTP = {
  regex:
    '^(?!\\.{1,2}/|node:crypto$|@sinclair/typebox$)|(^|/)(repository/(?!repository\\.[jt]s$)|(metrics|http|auth|cli|config\\.[jt]s)(/|$))',
  message: 'Leases and live import themselves, the domain and repository/repository.ts.',
}
const METRICS_ARE_BELOW_HTTP = {
  regex:
    '^(?!\\.{1,2}/|prom-client$)|(^|/)(repository/(?!repository\\.[jt]s$)|(leases|live|http|auth|cli|config\\.[jt]s)(/|$))',
  message:
    'Metrics import themselves, the domain, repository/repository.ts and prom-client: what is counted comes to them.',
}
const PROM_CLIENT = { regex: '^prom-client(/|$)', message: 'Only src/metrics knows prom-client.' }
const TOKENS_STAND_ALONE = {
  regex: '^(?!\\./|node:(crypto|fs)$)',
  message: 'Tokens import themselves, and of Node node:crypto and node:fs.',
}
const HTTP_IS_ABOVE_THE_SEAM = {
  regex:
    '(^|/)(repository/(?!repository\\.[jt]s$)|auth/(?!(role|tokens)\\.[jt]s$)|cli/|config\\.[jt]s$)|^(node:)?fs(/|$)',
  message:
    'HTTP imports the domain, repository/repository.ts and the values of auth: it knows neither files nor the settings.',
}

const DASHBOARD_IS_A_CLIENT = {
  regex: '^(?!\\.{1,2}/|preact(/hooks)?$|@preact/signals$|eventsource-parser$)',
  message: 'The dashboard runs in browsers, and imports itself and what is bundled with it.',
}
const DASHBOARD_KNOWS_TYPES = {
  regex: '^\\.\\./\\.\\./domain/',
  allowTypeImports: true,
  message: 'Of the service the dashboard knows its API, and the types of what that answers.',
}
const DASHBOARD_KNOWS_NO_MORE = {
  regex: '^\\.\\./\\.\\./(?!domain/)',
  message: 'The types of what the API answers are in domain/; nothing else of the service is known to the dashboard.',
}
const DASHBOARD_TOP = {
  regex: '^\\.\\./',
  message: 'The entry and the routes of the dashboard import only what is below them.',
}

const ENVIRONMENT = { object: 'process', property: 'env', message: 'Only config.ts and main.ts read the environment.' }
const ARGUMENTS = { object: 'process', property: 'argv', message: 'Only config.ts, main.ts and cli/ read arguments.' }
const GLOBAL_PROCESS = { object: 'globalThis', property: 'process', message: 'Say process.' }

/** What the files of one layer may import. A later entry replaces an earlier one, so each lists all that holds for it. */
function layer(files, ...patterns) {
  return { files, rules: { 'no-restricted-imports': ['error', { patterns: [MAIN, PROCESS, ...patterns] }] } }
}

export default defineConfig(
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './src/dashboard/tsconfig.json', './test/dashboard/tsconfig.json'],
        tsconfigRootDir: process.cwd(),
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // What was caught may be passed on.
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      // Plugins of Fastify are async functions whether they wait for something or not.
      '@typescript-eslint/require-await': 'off',
      // Asks for the `!` that no-non-null-assertion forbids.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
    },
  },
  layer(['src/**'], SEAM_IS_ABOVE_FILES, PROM_CLIENT),
  layer(['src/main.ts', 'src/cli/**'], PROM_CLIENT),
  layer(['src/domain/**'], DOMAIN_IS_PURE, NO_RANDOM),
  layer(['src/repository/**'], REPOSITORY_IS_BELOW_HTTP, SEAM_IS_ABOVE_FILES),
  layer(['src/repository/file/**'], REPOSITORY_IS_BELOW_HTTP),
  layer(['src/leases/**', 'src/live/**'], BETWEEN_REPOSITORY_AND_HTTP),
  layer(['src/metrics/**'], METRICS_ARE_BELOW_HTTP),
  layer(['src/auth/**'], TOKENS_STAND_ALONE),
  layer(['src/http/**'], HTTP_IS_ABOVE_THE_SEAM, PROM_CLIENT),
  layer(['src/dashboard/*'], DASHBOARD_IS_A_CLIENT, DASHBOARD_TOP),
  layer(['src/dashboard/*/**'], DASHBOARD_IS_A_CLIENT, DASHBOARD_KNOWS_TYPES, DASHBOARD_KNOWS_NO_MORE),
  {
    files: ['src/**'],
    rules: {
      'no-restricted-properties': ['error', ENVIRONMENT, ARGUMENTS, GLOBAL_PROCESS],
      // The import rules see static imports only.
      'no-restricted-syntax': ['error', { selector: 'ImportExpression', message: 'Import statically.' }],
    },
  },
  { files: ['src/cli/**'], rules: { 'no-restricted-properties': ['error', ENVIRONMENT, GLOBAL_PROCESS] } },
  {
    files: ['test/**'],
    rules: {
      // A test says what it expects a body to be, as it would by `as`.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // What the harness hands out is made to be taken apart.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  { files: ['**/*.{js,mjs}'], extends: [tseslint.configs.disableTypeChecked] },
  { files: ['src/main.ts', 'src/config.ts'], rules: { 'no-restricted-properties': 'off' } },
)
