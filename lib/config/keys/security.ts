/**
 * TLS (tls.ts), what is sealed (encrypt.ts) and written down (audit.ts), and what is not built yet, which is refused by name where it
 * is asked for: a registry that runs open although its configuration says otherwise is the worst answer.
 */

import { refused, strings } from '../row.ts';
import { AUDIT_KEYS } from './audit.ts';
import { ENCRYPT_KEYS } from './encrypt.ts';
import { networks } from './http.ts';
import { AUTO_KEYS, TLS_KEYS } from './tls.ts';

export const SECURITY_KEYS = {
  ...TLS_KEYS,
  ...AUTO_KEYS,
  ...ENCRYPT_KEYS,
  ...AUDIT_KEYS,
  ...refused('a choice of who may join (anybody may)', {
    serf_lan_allowed_cidrs: strings('', {
      flag: 'serf-lan-allowed-cidrs',
      shown: 'SerfAllowedCIDRsLAN',
      rule: (value, path, problems) => networks(path, value, problems),
    }),
    serf_wan_allowed_cidrs: strings('', {
      flag: 'serf-wan-allowed-cidrs',
      shown: 'SerfAllowedCIDRsWAN',
      rule: (value, path, problems) => networks(path, value, problems),
    }),
  }),
};
