import { defineConfig } from 'eslint/config'
import simpleImportSort from 'eslint-plugin-simple-import-sort'
import tseslint from 'typescript-eslint'

/** Which packages a room may use. Which rooms it may know is in dependency-cruiser.js. */

const PROCESS = {
  regex: '^(node:)?process$',
  message: 'Use the global process; only config.ts and main.ts read its environment.',
}
const PROM_CLIENT = { regex: '^prom-client(/|$)', message: 'Only src/metrics knows prom-client.' }
const NO_FILES = { regex: '^(node:)?fs(/|$)', message: 'Files are known to repository/file and to auth only.' }
const DOMAIN_IS_PURE = {
  regex: '^(?!\\.{1,2}/|@sinclair/typebox|immutable$|temporal-polyfill$|node:util$|node:crypto$)',
  message: 'The domain is pure: it imports itself, schemas and values, of Node node:util and createHash.',
}
const NO_RANDOM = {
  regex: '^node:crypto$',
  allowImportNames: ['createHash', 'hash'],
  message: 'The domain decides the same each time: what is random is an argument.',
}
const STORES = {
  regex: '^(?!\\.{1,2}/|node:|@sinclair/typebox|ajv(/|$)|proper-lockfile$)',
  message: 'A store imports the domain, Node, ajv and proper-lockfile, and does not know HTTP.',
}
const SEAMS_KNOW_NO_STORE = {
  regex: '^(?!\\.{1,2}/|node:(crypto|perf_hooks|timers)(/|$))',
  message: 'The seams and the group commit know no file and no database.',
}
const BETWEEN_REPOSITORY_AND_HTTP = {
  regex: '^(?!\\.{1,2}/|node:crypto$|@sinclair/typebox$)',
  message: 'Between the repository and HTTP there is no other package than TypeBox, and of Node node:crypto.',
}
const GRAPH = [
  {
    regex: '^(?!\\.{1,2}/|node:crypto$|@sinclair/typebox$|pino$)',
    message: 'Where the graph is built no other package is known than TypeBox and, as a type, pino.',
  },
  { regex: '^pino$', allowTypeImports: true, message: 'The service is given its logger: only the type is known.' },
]
const METRICS = {
  regex: '^(?!\\.{1,2}/|prom-client$)',
  message: 'Metrics import prom-client and no other package: what is counted comes to them.',
}
const TOKENS = {
  regex: '^(?!\\./|node:(crypto|fs)$)',
  message: 'Tokens import of Node node:crypto and node:fs, and no package.',
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
  return { files, rules: { 'no-restricted-imports': ['error', { patterns: [PROCESS, ...patterns] }] } }
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
    plugins: { 'simple-import-sort': simpleImportSort },
    rules: {
      eqeqeq: 'error',
      // Node, packages, the product, then own files from the furthest to the nearest, without blank lines between.
      'simple-import-sort/imports': ['error', { groups: [['^node:', '^@?\\w', '^#', '^\\.\\.', '^\\.', '^\\u0000']] }],
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
  layer(['src/**'], PROM_CLIENT),
  layer(['src/domain/**'], DOMAIN_IS_PURE, NO_RANDOM),
  layer(['src/repository/*', 'src/repository/group-commit/**'], SEAMS_KNOW_NO_STORE),
  layer(['src/repository/!(group-commit)/**'], STORES),
  layer(['src/leases/**', 'src/live/**', 'src/service/**'], BETWEEN_REPOSITORY_AND_HTTP),
  layer(['src/service/open-service.ts'], ...GRAPH),
  layer(['src/metrics/**'], METRICS),
  layer(['src/auth/**'], TOKENS),
  layer(['src/http/**'], NO_FILES, PROM_CLIENT),
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
  { files: ['src/main.ts', 'src/config.ts', 'src/config/**'], rules: { 'no-restricted-properties': 'off' } },
)
