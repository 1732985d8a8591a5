/** The port for Envoy and clients of gRPC, made from a process' configuration: it asks its own process. */
import type { AccessControl } from '../../lib/acl/rights.ts';
import type { Config } from '../../lib/config/config.ts';
import type { Logger } from '../../lib/logger.ts';
import { systemOf } from '../../lib/system.ts';
import type { Identities } from '../../lib/tls/identities.ts';
import { type Listens, Xds } from '../../xds/xds.ts';
import type { OwnRequests } from './own-requests.ts';
import { doorsOf } from './tls-role.ts';

export interface XdsRoleOptions {
  readonly config: Config;
  readonly limits: () => Config['limits'];
  readonly identities: Identities;
  readonly logger: Logger;
  /** Answered as clients are. */
  readonly own: OwnRequests;
  readonly access: () => AccessControl;
  readonly isReady: () => boolean;
  readonly readiness: Pick<XdsReadiness, 'caughtUp'>;
}

export interface XdsReadiness {
  /** Whether the state is known. */
  readonly begun: boolean;
  /** Resolves once what others acknowledged by now is known here too; with false where nobody can say whether it is. */
  caughtUp(): Promise<boolean>;
}

/** Whatever is answered is an answer: what may not be seen, or asked for so, is as if it were not there. */
const ANSWERS = Array.from({ length: 200 }, (_, i) => 400 + i);

export function createXds(options: XdsRoleOptions): Xds {
  const { own, config, logger, isReady, readiness, limits, access } = options;
  return new Xds({
    ask: (asked, token, signal) => own.ask({ ...asked, token, accept: ANSWERS }, signal),
    access: { callerOf: (token, from) => access().callerOf(token, from) },
    place: {
      datacenter: config.datacenter,
      domain: config.dns.domain,
      // As agents say it of a certificate's holder.
      callsByDefault: !config.acl.enabled || config.acl.defaultPolicy === 'allow',
    },
    isReady,
    caughtUp: () => readiness.caughtUp(),
    system: systemOf(logger),
    listens: listensOf(options),
    load: async (parts) => {
      const { Serving } = await import('../../xds/serving/serve.ts');
      return new Serving(parts);
    },
    maxConnections: () => limits().httpMaxConnsPerClient,
  });
}

/** As in Consul: whoever has a certificate shows it, and the port for TLS alone needs one. */
function listensOf({ config, identities, logger }: XdsRoleOptions): readonly Listens[] {
  const { grpc, grpcTls } = config.listen;
  const { grpc: door } = doorsOf({ config, identities, logger });
  const isSecure = identities.grpc !== undefined;
  if (grpcTls.length > 0 && !isSecure) {
    logger.warn(
      'xds: nothing listens at ports.grpc_tls: there is no certificate (tls.grpc.cert_file)',
    );
  }
  return [
    ...grpc.map((at) => ({ at, door: isSecure ? door : undefined })),
    ...(isSecure ? grpcTls.map((at) => ({ at, door })) : []),
  ];
}
