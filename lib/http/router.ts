import type { Method, Route } from './route.ts';

type Named = Pick<Route, 'method' | 'path'>;

export interface Match<R> {
  /** The rows of this path by method. */
  readonly methods: ReadonlyMap<string, R>;
  readonly rest: string;
}

/** Finds the rows for a path: an exact one first, else the longest that ends in '/'. */
export class Router<R extends Named = Route> {
  readonly #paths = new Map<string, Map<Method, R>>();
  /** Where rows stand below, and none at. */
  readonly #above = new Set<string>();
  /** No path that ends in '/' is longer: what comes behind it in a request's is never looked at. */
  #longest = 0;

  constructor(routes: readonly R[]) {
    for (const route of routes) {
      const methods = this.#paths.get(route.path) ?? new Map<Method, R>();
      if (methods.has(route.method)) throw new Error(`two rows for ${route.method} ${route.path}`);
      methods.set(route.method, route);
      this.#paths.set(route.path, methods);
      this.#longest = Math.max(this.#longest, route.path.length);
    }
    for (const path of this.#paths.keys()) {
      const above = path.slice(0, -1);
      if (path.endsWith('/') && !this.#paths.has(above)) this.#above.add(above);
    }
  }

  /** Whether rows stand below the path, and none at it. */
  isAbove(path: string): boolean {
    return this.#above.has(path);
  }

  match(path: string): Match<R> | undefined {
    const exact = this.#paths.get(path);
    if (exact !== undefined) return { methods: exact, rest: '' };
    const last = path.lastIndexOf('/', this.#longest - 1);
    for (let end = last; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const methods = this.#paths.get(path.slice(0, end + 1));
      if (methods !== undefined) return { methods, rest: path.slice(end + 1) };
    }
    return undefined;
  }
}

/** As Consul's Allow header lists them. */
export function allowed(methods: ReadonlyMap<string, unknown>): string {
  return ['OPTIONS', ...methods.keys()].join(',');
}
