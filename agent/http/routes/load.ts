import { decoder } from '../../../lib/decode.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { quote } from '../../../lib/go-literals.ts';
import { asks } from '../../../lib/http/right.ts';
import type { Route } from '../../../lib/http/route.ts';
import type { OwnContext, RegistrationContext } from '../context.ts';
import { vetService } from '../vetting.ts';

type Context = RegistrationContext & Pick<OwnContext, 'config'>;

const loadBody = decoder<{ readonly Requests: number }>({
  type: 'object',
  required: ['Requests'],
  properties: { Requests: { type: 'number', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } },
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
      does: "takes how many requests a service has answered so far (Proconsul's own)",
      async handle(request) {
        const { rest, caller } = request;
        const { Requests } = await request.json(loadBody);
        vetService(agent, caller, rest);
        if (!agent.local.services.has(rest)) {
          throw new ProconsulError('not-found', `Unknown service ${quote(rest)}`);
        }
        agent.requests.counted(rest, Requests);
        return {};
      },
    },
  ];
}
