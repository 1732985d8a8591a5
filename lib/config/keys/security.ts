/**
 * TLS (tls.ts), what is sealed (encrypt.ts), and what is not built yet, which is refused by name where it
 * is asked for: a registry that runs open although its configuration says otherwise is the worst answer.
 */

import { refused, strings, tree } from '../row.ts';
import { ENCRYPT_KEYS } from './encrypt.ts';
import { networks } from './http.ts';
import { AUTO_KEYS, TLS_KEYS } from './tls.ts';

export const SECURITY_KEYS = {
  ...TLS_KEYS,
  ...AUTO_KEYS,
  ...ENCRYPT_KEYS,
  audit: tree('an audit log', {
    effect: 'refused',
    asks: (value) => value['enabled'] === true,
  }),
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
