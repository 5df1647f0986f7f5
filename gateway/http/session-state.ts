/** What `GET /api/v1/session`, `POST /api/v1/login`, `/logout` and `/password` answer. */

export interface SessionState {
  /** What whoever asks may do now. */
  readonly access: 'none' | 'read' | 'admin';
  /** False: being on this machine is the login, or there is a session. */
  readonly loginNeeded: boolean;
  /** The password is the one that was made at the first start: it is to be replaced before anything else. */
  readonly mustSetPassword: boolean;
  /** False: the configuration says it, or there is none. */
  readonly canSetPassword: boolean;
  readonly username: string | null;
}
