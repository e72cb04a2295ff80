/**
 * The arrows between the rooms, for values and for types: `npm run lint` refuses an import that is not drawn here.
 * Which packages a room may use is in eslint.config.js.
 */

const GROUND = '^src/domain/[^/]+[.]ts$'
const EXPERIMENT = '^src/domain/experiment/'
const INDEXES = '^src/domain/indexes/'
const CAMPAIGN = '^src/domain/campaign/'
const DOMAIN = '^src/domain/'
const SEAMS = '^src/repository/[^/]+[.]ts$'
const GROUP_COMMIT = '^src/repository/group-commit/'
const FILE_LOCK = '^src/repository/file/lock/'
const FILE_ENCODING = '^src/repository/file/encoding/'
const FILE_COMMIT = '^src/repository/file/commit/'
const FILE_LEASES = '^src/repository/file/leases/'
const FILE_STORE = '^src/repository/file/[^/]+[.]ts$'
const LEASES = '^src/leases/'
const LIVE = '^src/live/'
const METRICS = '^src/metrics/'
const AUTH = '^src/auth/'
const SERVICE = '^src/service/(?!open-service[.]ts$)'
const LIMITS = '^src/http/limits[.]ts$'
const PROBLEMS = '^src/http/problems/'
const CONNECTIONS = '^src/http/connections/'
const REQUESTS = '^src/http/requests/'
const REPLIES = '^src/http/replies/'
const GUARDS = '^src/http/guards/'
const HOOKS = '^src/http/hooks/'
const OPENAPI = '^src/http/openapi/'
const DEPENDENCIES = '^src/http/dependencies[.]ts$'
const API = '^src/dashboard/api/'
const MODEL = '^src/dashboard/model/'
const FEEDS = '^src/dashboard/live/'
const CANVAS = '^src/dashboard/canvas/'
const PARTS = '^src/dashboard/parts/'
const ROUTE = '^src/dashboard/route[.]ts$'

const FILE_ROOMS = [FILE_LOCK, FILE_COMMIT, FILE_ENCODING, FILE_LEASES]
const HTTP_ROOMS = [LIMITS, PROBLEMS, CONNECTIONS, REQUESTS, REPLIES, GUARDS, HOOKS, OPENAPI]
const BELOW_HTTP = ['^src/runtime/', DOMAIN, SEAMS, LEASES, LIVE, METRICS, SERVICE, '^src/auth/(role|tokens)[.]ts$']

/** Every room, from the bottom to the top: where its files are, and which other rooms they may know. */
const ROOMS = [
  { name: 'domain', path: GROUND, knows: [] },
  { name: 'domain/experiment', path: EXPERIMENT, knows: [GROUND] },
  { name: 'domain/indexes', path: INDEXES, knows: [GROUND, EXPERIMENT] },
  { name: 'domain/campaign', path: CAMPAIGN, knows: [GROUND, EXPERIMENT, INDEXES] },
  { name: 'domain/formats', path: '^src/domain/formats/', knows: [GROUND, EXPERIMENT, INDEXES, CAMPAIGN] },
  { name: 'domain/views', path: '^src/domain/views/', knows: [GROUND, EXPERIMENT, INDEXES, CAMPAIGN] },
  { name: 'domain/operations', path: '^src/domain/operations/', knows: [GROUND, EXPERIMENT, INDEXES, CAMPAIGN] },

  { name: 'repository', path: SEAMS, knows: [DOMAIN] },
  { name: 'repository/group-commit', path: GROUP_COMMIT, knows: ['^src/runtime/', DOMAIN, SEAMS] },
  { name: 'repository/file/lock', path: FILE_LOCK, knows: [] },
  { name: 'repository/file/encoding', path: FILE_ENCODING, knows: ['^src/runtime/', DOMAIN, SEAMS, FILE_COMMIT] },
  { name: 'repository/file/commit', path: FILE_COMMIT, knows: [SEAMS, FILE_LOCK] },
  { name: 'repository/file/leases', path: FILE_LEASES, knows: ['^src/runtime/', DOMAIN, SEAMS] },
  { name: 'repository/file', path: FILE_STORE, knows: ['^src/runtime/', DOMAIN, SEAMS, GROUP_COMMIT, ...FILE_ROOMS] },

  { name: 'leases', path: LEASES, knows: [DOMAIN, SEAMS] },
  { name: 'live', path: LIVE, knows: ['^src/runtime/', DOMAIN, SEAMS] },
  { name: 'metrics', path: METRICS, knows: [DOMAIN, SEAMS] },
  { name: 'auth', path: AUTH, knows: [] },
  { name: 'runtime', path: '^src/runtime/', knows: [] },

  // The graph is built in one place: that alone knows which store there is.
  {
    name: 'service/open-service',
    path: '^src/service/open-service[.]ts$',
    knows: [SERVICE, DOMAIN, SEAMS, FILE_STORE, LEASES, LIVE, METRICS],
  },
  { name: 'service', path: SERVICE, knows: ['^src/runtime/', DOMAIN, SEAMS, LEASES, LIVE, METRICS] },

  { name: 'http/limits', path: LIMITS, knows: [] },
  { name: 'http/problems', path: PROBLEMS, knows: [DOMAIN, SEAMS, LIMITS] },
  { name: 'http/connections', path: CONNECTIONS, knows: [...BELOW_HTTP, LIMITS, PROBLEMS] },
  { name: 'http/requests', path: REQUESTS, knows: [...BELOW_HTTP, LIMITS, PROBLEMS] },
  { name: 'http/replies', path: REPLIES, knows: [...BELOW_HTTP, LIMITS, PROBLEMS, CONNECTIONS] },
  { name: 'http/guards', path: GUARDS, knows: [...BELOW_HTTP, LIMITS, PROBLEMS, CONNECTIONS, REQUESTS] },
  { name: 'http/hooks', path: HOOKS, knows: [...BELOW_HTTP, LIMITS, PROBLEMS, CONNECTIONS, REPLIES] },
  { name: 'http/openapi', path: OPENAPI, knows: [...BELOW_HTTP, LIMITS, PROBLEMS, HOOKS] },
  { name: 'http/dependencies', path: DEPENDENCIES, knows: [...BELOW_HTTP, ...HTTP_ROOMS] },
  // `$1` is the resource: no resource knows another.
  {
    name: 'http/routes',
    path: '^src/http/routes/([^/]+)/',
    own: '^src/http/routes/$1/',
    knows: [...BELOW_HTTP, ...HTTP_ROOMS, DEPENDENCIES],
  },
  { name: 'http/routes/all', path: '^src/http/routes/routes[.]ts$', knows: ['^src/http/routes/', DEPENDENCIES] },
  { name: 'http/server', path: '^src/http/server[.]ts$', knows: [...HTTP_ROOMS] },
  { name: 'http/app', path: '^src/http/app[.]ts$', knows: [...BELOW_HTTP, '^src/http/'] },

  { name: 'config', path: '^src/config([.]ts$|/)', knows: ['^src/auth/', LIMITS, DOMAIN] },
  { name: 'cli', path: '^src/cli/', knows: ['^src/'], never: '^src/(main[.]ts$|dashboard/)' },
  { name: 'main', path: '^src/main[.]ts$', knows: ['^src/'], never: '^src/(cli|dashboard)/' },

  // Of the service the dashboard knows its API, and the types of what that answers: eslint.config.js says which.
  { name: 'dashboard/route', path: ROUTE, knows: [] },
  { name: 'dashboard/model', path: MODEL, knows: [DOMAIN] },
  { name: 'dashboard/api', path: API, knows: [DOMAIN, MODEL] },
  { name: 'dashboard/live', path: FEEDS, knows: [DOMAIN, MODEL, API] },
  { name: 'dashboard/canvas', path: CANVAS, knows: [DOMAIN, MODEL] },
  { name: 'dashboard/parts', path: PARTS, knows: [DOMAIN, MODEL, API, FEEDS] },
  {
    name: 'dashboard/views',
    path: '^src/dashboard/views/',
    knows: [DOMAIN, MODEL, API, FEEDS, CANVAS, PARTS, ROUTE],
  },
  { name: 'dashboard/app', path: '^src/dashboard/app[.]tsx$', knows: [ROUTE, PARTS, '^src/dashboard/views/'] },
  { name: 'dashboard/main', path: '^src/dashboard/main[.]tsx$', knows: ['^src/dashboard/(app[.]tsx|styles/)'] },

  { name: 'test/support', path: '^test/support/', knows: ['^src/'] },
  { name: 'test/bench', path: '^test/bench/', knows: ['^src/', '^test/support/'] },
  { name: 'test/faults', path: '^test/faults/', knows: ['^src/', '^test/support/'] },
]

/** The rules of one room. A file of its own room it may always know. */
function arrowsOf({ name, path, own = path, knows, never }) {
  const elsewhere = { path: '^(src|test)/', pathNot: [own, ...knows] }
  const forbidden = never === undefined ? [elsewhere] : [elsewhere, { path: never }]
  return forbidden.map((to) => ({ name, severity: 'error', from: { path }, to }))
}

const WITHOUT_ROOM = { path: '^src/.*[.]tsx?$', pathNot: ROOMS.map(({ path }) => path) }

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true, path: '^[.#]' } },
    // Each file of src belongs to a room: a new room draws its arrows here.
    { name: 'file-without-room', severity: 'error', from: WITHOUT_ROOM, to: {} },
    { name: 'file-without-room', severity: 'error', from: {}, to: WITHOUT_ROOM },
    {
      name: 'the-store-is-a-choice-of-the-graph',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/repository/', '^src/service/open-service[.]ts$'] },
      to: { path: '^src/repository/(file|group-commit)/' },
    },
    ...ROOMS.flatMap(arrowsOf),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
}
