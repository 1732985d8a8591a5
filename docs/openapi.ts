/** The HTTP API as OpenAPI 3.1 has it, made of the rows that servers and agents answer by. */
import type { Schema } from '../lib/decode.ts';
import { spoken } from '../lib/http/right.ts';
import type { Route } from '../lib/http/route.ts';
import {
  COMMON,
  isRaw,
  type Parameter,
  READING,
  type RowBody,
  type RowParams,
} from '../lib/http/takes.ts';
import { allRoutes } from './compat-table.ts';

type Json = Readonly<Record<string, unknown>>;

const { token: TOKEN, ...FOR_ALL } = COMMON;
/** Said once, and referred to by all who take them. */
const SHARED: RowParams = { ...FOR_ALL, ...READING };

/** The document as the file has it. */
export function openApiText(): string {
  return `${inLines(openApi(), 3)}\n`;
}

/** With a line for each thing that lies so deep, an endpoint for instance: a change shows what it is of. */
function inLines(value: unknown, depth: number, indent = ''): string {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (depth === 0 || !isObject) return JSON.stringify(value);
  const inner = `${indent}  `;
  const fields = Object.entries(value).map(
    ([name, each]) => `${inner}${JSON.stringify(name)}: ${inLines(each, depth - 1, inner)}`,
  );
  return `{\n${fields.join(',\n')}\n${indent}}`;
}

function openApi(): Json {
  const schemas = new Schemas();
  const paths: Record<string, Record<string, Json>> = {};
  for (const row of allRoutes().sort(byPath)) {
    for (const { path, does } of placesOf(row)) {
      paths[path] ??= {};
      paths[path][row.method.toLowerCase()] = operation(row, path, does, schemas);
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Proconsul',
      version: '1.8.7',
      summary: "Consul 1.8's HTTP API, as Proconsul serves it",
      description: 'For people: docs/api. How it differs from Consul: docs/compat.md.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: 'http://localhost:8500' }],
    paths,
    components: {
      schemas: schemas.named,
      parameters: Object.fromEntries(
        Object.entries(SHARED).map(([name, said]) => [name, parameter(name, said)]),
      ),
      securitySchemes: {
        header: { type: 'apiKey', in: 'header', name: 'X-Consul-Token' },
        bearer: { type: 'http', scheme: 'bearer' },
        query: { type: 'apiKey', in: 'query', name: 'token', description: TOKEN.says },
      },
    },
  };
}

function byPath(a: Route, b: Route): number {
  return `${a.path} ${a.method}` < `${b.path} ${b.method}` ? -1 : 1;
}

/** The path of a row, and of each thing that may stand behind its rest. */
function placesOf({ path, rest, ends = {}, does }: Route) {
  const whole = rest === undefined ? path : `${path}{${rest}}`;
  const behind = Object.entries(ends).map(([end, what]) => ({
    path: `${whole}/${end}`,
    does: what,
  }));
  return [{ path: whole, does }, ...behind];
}

function operation(row: Route, path: string, does: string, schemas: Schemas): Json {
  const { rest, params = {}, body, right } = row;
  const isOpen = right.by === 'nobody';
  return {
    operationId: `${row.method.toLowerCase()}${path.replace(/[{}]/g, '').replaceAll('/', '-')}`,
    tags: [path.split('/')[2] ?? ''],
    summary: does,
    description: isOpen ? 'No right is needed.' : `Needs ${rightWords(row)}.`,
    ...(isOpen
      ? { security: [] }
      : { security: [{}, { header: [] }, { bearer: [] }, { query: [] }] }),
    parameters: [
      ...(rest === undefined ? [] : [restParameter(rest)]),
      ...Object.entries({ ...params, ...FOR_ALL }).map(([name, said]) =>
        SHARED[name] === said ? { $ref: `#/components/parameters/${name}` } : parameter(name, said),
      ),
    ],
    ...(body !== undefined && { requestBody: requestBody(body, nameOf(path), schemas) }),
    responses: responsesOf(row),
  };
}

function rightWords({ right }: Route): string {
  const need = spoken(right);
  return need === 'own' ? 'a right that depends on what it is about (docs/api)' : need;
}

function restParameter(name: string): Json {
  const description = 'May hold slashes, and what else is percent-encoded.';
  return { name, in: 'path', required: true, description, schema: { type: 'string' } };
}

const TYPES: Readonly<Record<Parameter['is'], Json>> = {
  flag: { type: 'string' },
  boolean: { type: 'boolean' },
  text: { type: 'string' },
  number: { type: 'integer', minimum: 0 },
  duration: { type: 'string', examples: ['10s'] },
};

function parameter(name: string, { is, says, many }: Parameter): Json {
  return {
    name,
    in: 'query',
    description: is === 'flag' ? `${says} (whatever its value)` : says,
    ...(is === 'flag' && { allowEmptyValue: true }),
    schema: many === true ? { type: 'array', items: TYPES[is] } : TYPES[is],
  };
}

/** `/v1/acl/auth-method/{name}`: AclAuthMethodName. */
function nameOf(path: string): string {
  const words = path.split(/[^a-z]+/).slice(2);
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function requestBody(body: RowBody, name: string, schemas: Schemas): Json {
  if (isRaw(body)) {
    const content = { 'application/octet-stream': {} };
    return { description: body.what, content };
  }
  const content = { 'application/json': { schema: schemas.of(body.schema, name) } };
  return { required: !body.optional, content };
}

function responsesOf({ right, params, body, answers = {} }: Route): Json {
  const entries: [number, string][] = [
    [200, 'Done, or what there is.'],
    ...(params !== undefined || body !== undefined
      ? ([[400, 'What was sent makes no sense.']] as [number, string][])
      : []),
    ...(right.by === 'nobody' ? [] : ([[403, 'The token may not.']] as [number, string][])),
    ...(body === undefined ? [] : ([[413, 'The body is too large.']] as [number, string][])),
    [429, 'Too many requests or connections.'],
    [500, 'Refused by what is there already, or not possible now.'],
    ...Object.entries(answers).map(([status, says]): [number, string] => [Number(status), says]),
  ];
  return Object.fromEntries(
    entries.map(([status, description]) => [String(status), { description }]),
  );
}

/** Our words for JSON put into those of JSON Schema; what occurs in several places has a name. */
class Schemas {
  readonly named: Record<string, Json> = {};
  readonly #names = new Map<Schema, string>();

  /** `hint` is what it is called where it occurs. */
  of(schema: Schema, hint: string): Json {
    if (schema['properties'] === undefined || Object.keys(schema['properties']).length < 6) {
      return this.#plain(schema, hint);
    }
    let name = this.#names.get(schema);
    if (name === undefined) {
      name = this.#free(hint);
      this.#names.set(schema, name);
      // Before what is within: that its name comes first, and that it may hold itself.
      this.named[name] = {};
      this.named[name] = this.#plain(schema, hint);
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  #free(hint: string): string {
    let name = hint;
    for (let n = 2; Object.hasOwn(this.named, name); n++) name = `${hint}${n}`;
    return name;
  }

  #plain(schema: Schema, hint: string): Json {
    if (schema['duration'] === true) {
      return { type: ['string', 'integer'], description: 'as "10s", or in nanoseconds' };
    }
    if (schema['uint64'] === true) return { type: 'integer', minimum: 0, format: 'uint64' };
    const { type, items, properties, additionalProperties: values } = schema;
    return {
      ...(type !== undefined && { type: schema['nullable'] === true ? [type, 'null'] : type }),
      ...(schema['required'] !== undefined && { required: schema['required'] }),
      ...(schema['enum'] !== undefined && { enum: schema['enum'] }),
      ...(schema['minLength'] !== undefined && { minLength: schema['minLength'] }),
      ...(schema['maxItems'] !== undefined && { maxItems: schema['maxItems'] }),
      ...(items !== undefined && { items: this.of(items, hint.replace(/s$/, '')) }),
      ...(typeof values === 'object' && { additionalProperties: this.of(values, hint) }),
      ...(properties !== undefined && {
        properties: Object.fromEntries(
          Object.entries<Schema>(properties).map(([name, each]) => [name, this.of(each, name)]),
        ),
      }),
    };
  }
}
