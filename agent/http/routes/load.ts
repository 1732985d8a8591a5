import { decoder } from '../../../lib/decode.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { quote } from '../../../lib/go-literals.ts';
import { asks } from '../../../lib/http/right.ts';
import type { Route } from '../../../lib/http/route.ts';
import { LATENCY_PLACES } from '../../../lib/served.ts';
import type { OwnContext, RegistrationContext } from '../context.ts';
import { vetService } from '../vetting.ts';

type Context = RegistrationContext & Pick<OwnContext, 'config'>;

const count = { type: 'number', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;

interface Counts {
  readonly Requests: number;
  readonly Errors: number;
  readonly Latency: readonly number[];
}

const loadBody = decoder<Counts>({
  type: 'object',
  required: ['Requests'],
  properties: {
    Requests: count,
    Errors: { ...count, default: 0 },
    Latency: { type: 'array', items: count, maxItems: LATENCY_PLACES, default: [] },
  },
});

/** PUT /v1/agent/service/load: what a service, or its proxy, counts itself. docs/scaling.md. */
export function loadRoutes(agent: Context): readonly Route[] {
  return [
    {
      method: 'PUT',
      path: '/v1/agent/service/load/',
      answers: { 404: 'there is no such service' },
      rest: 'service',
      body: loadBody,
      right: asks('own', ['service:write']),
      does: "takes how many requests a service has answered so far, and how well (Proconsul's own)",
      async handle(request) {
        const { rest, caller } = request;
        const {
          Requests: requests,
          Errors: errors,
          Latency: latency,
        } = await request.json(loadBody);
        vetService(agent, caller, rest);
        if (!agent.local.services.has(rest)) {
          throw new ProconsulError('not-found', `Unknown service ${quote(rest)}`);
        }
        agent.requests.counted(rest, { requests, errors, latency });
        return {};
      },
    },
  ];
}
