/** The numbers of RFC 1035 and its successors. */

export const HEADER_BYTES = 12;
export const MAX_NAME_BYTES = 255;
export const MAX_LABEL_BYTES = 63;
/** A compression pointer has 14 bits. */
export const MAX_POINTER = 0x3fff;
export const POINTER = 0xc0;

export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const;

export const CLASS_IN = 1;
export const CLASS_ANY = 255;

export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  /** Its upper bits go into the OPT record. */
  BADVERS: 16,
} as const;

export const FLAG = {
  QR: 0x8000,
  AA: 0x0400,
  TC: 0x0200,
  RD: 0x0100,
  RA: 0x0080,
} as const;

export const OPT_BYTES = 11;
