import { DeliveryError } from './delivery-error.ts';

/** Where the mail server is, as it is configured. */
interface Place {
  host: string;
  port: number;
}

/** What nodemailer says of a failure; `originalCode` is what Node said of the socket, where it was that. */
interface SmtpError {
  code?: string;
  originalCode?: string;
  responseCode?: number;
  response?: string;
  message?: string;
}

const UNKNOWN_AUTHORITY =
  'its certificate is not signed by an authority that is known here; give the certificate of that authority in alerts.smtp.caFile';
const NOBODY = 'nobody answers there; look at alerts.smtp.host and port, and at firewalls';
/** What can be mended in the configuration, in words that say where. */
const WORDS: Record<string, string> = {
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name; write in alerts.smtp.host the name that it has',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet; look at the clock of this machine',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not begin with TLS; try alerts.smtp.tls: starttls',
  ECONNREFUSED: NOBODY,
  EHOSTUNREACH: NOBODY,
  ENETUNREACH: NOBODY,
  ETIMEDOUT: 'it does not answer in time; look at alerts.smtp.host, port and tls, and at firewalls',
  ENOTFOUND: 'its name is not known; look at alerts.smtp.host',
  EDNS: 'its name is not known; look at alerts.smtp.host',
};
/** 530: it wants a sign-in first; 534, 538: it wants another one; 535: it knows no such name and password. */
const ABOUT_SIGN_IN = [530, 534, 535, 538];

/**
 * Why a mail was not taken, for people. Final when the server says that it never will take this message; what is mended in
 * the configuration or at the server the message waits for.
 */
export function mailFault(error: unknown, { host, port }: Place): DeliveryError {
  const { code, originalCode, responseCode, response, message } = error as SmtpError;
  const said = (response ?? '').replace(/[^\x20-\x7e]+/g, ' ').slice(0, 160);
  const fault = (text: string, isFinal = false) => new DeliveryError(text, { isFinal, cause: error });
  if (code === 'ETLS' && responseCode !== undefined)
    return fault(
      `The mail server ${host}:${port} does not speak STARTTLS (it said: ${said}). Nothing is sent to it in the clear; ` +
        'for a port that begins with TLS set alerts.smtp.tls: tls.',
    );
  if (code === 'EAUTH' || (responseCode !== undefined && ABOUT_SIGN_IN.includes(responseCode))) {
    const why = said === '' ? 'it takes none of the ways of signing in that are known here' : `it said: ${said}`;
    return fault(`The mail server does not let us in (${why}): look at alerts.smtp.user and passwordFile.`);
  }
  if (responseCode !== undefined) return fault(`The mail server said: ${said}`, responseCode >= 500);
  const what = [originalCode, code].find((one) => one !== undefined && Object.hasOwn(WORDS, one));
  const why =
    what === undefined ? (originalCode ?? code ?? String(message)) : `${WORDS[what]} (${originalCode ?? code})`;
  return fault(`The mail server ${host}:${port} could not be used: ${why}.`);
}
