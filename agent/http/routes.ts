/** The route table of /v1/agent: what an agent answers of itself. */
import type { Route } from '../../lib/http/route.ts';
import type { AgentContext } from './context.ts';
import { checkRoutes } from './routes/checks.ts';
import { connectRoutes } from './routes/connect.ts';
import { debuggingRoutes } from './routes/debugging.ts';
import { agentHealthRoutes } from './routes/health.ts';
import { infoRoutes } from './routes/info.ts';
import { loadRoutes } from './routes/load.ts';
import { membershipRoutes } from './routes/membership.ts';
import { profileRoutes } from './routes/profiles.ts';
import { serviceRoutes } from './routes/services.ts';

export function agentRoutes(agent: AgentContext): readonly Route[] {
  const rows = [
    ...infoRoutes(agent),
    ...debuggingRoutes(agent),
    ...profileRoutes(agent),
    ...membershipRoutes(agent),
    ...serviceRoutes(agent),
    ...loadRoutes(agent),
    ...checkRoutes(agent),
    ...agentHealthRoutes(agent),
    ...connectRoutes(agent),
  ];
  return rows.map((row) => ({ ...row, access: agent.access }));
}
