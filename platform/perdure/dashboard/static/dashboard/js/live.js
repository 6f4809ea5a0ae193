/**
 * The line to a run: a WebSocket, or server-sent events where sockets are blocked. It comes back by itself and asks
 * for what follows the last event that the page holds, so that nothing is missed and nothing is shown twice.
 */

const DELAYS = [200, 500, 1000, 2000, 4000, 8000];
const SILENCE = 25_000;
const ANSWER = 10_000;
/** Close codes after which asking again gives the same answer. */
const FINAL = { 4401: "signed-out", 4403: "gone", 4404: "gone", 4400: "refused" };

export class Line {
  /**
   * @param {{socketUrl: string, eventsUrl?: string, eventTypes?: string[], after?: () => number,
   *   onEvent: (event: object) => void,
   *   onState: (state: "open"|"lost"|"ended"|"signed-out"|"gone"|"refused", transport: string) => void}} options
   *   `after` gives the last sequence held; `onEvent` may call `stop()` or `restart()`
   */
  constructor(options) {
    this.options = options;
    this.failures = 0;
    this.closed = false;
    this.blocked = 0;
    this.socketWorks = false;
    window.addEventListener("online", () => this.restart());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#retryNow());
    window.addEventListener("pagehide", () => this.#drop());
    window.addEventListener("pageshow", (event) => event.persisted && this.restart());
  }

  start() {
    this.#open();
    return this;
  }

  /** The run has ended: no more is to come. */
  stop(state = "ended") {
    if (this.closed) return;
    this.closed = true;
    this.#drop();
    this.options.onState(state, this.transport);
  }

  /** Ask anew from the last event held. */
  restart() {
    if (this.closed) return;
    this.#drop();
    this.#open();
  }

  #open() {
    // A socket that once opened here is not blocked: its server is away.
    const mayBeBlocked = this.options.eventsUrl && !this.socketWorks && this.blocked >= 2;
    const useEvents = mayBeBlocked && this.blocked % 2 === 0;
    this.transport = useEvents ? "events" : "socket";
    if (useEvents) this.#openEvents();
    else this.#openSocket();
  }

  #url(base, scheme) {
    const url = new URL(base, location.href);
    if (scheme) url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    if (this.options.after) url.searchParams.set("after", String(this.options.after()));
    return url.href;
  }

  #openSocket() {
    let socket;
    try {
      socket = new WebSocket(this.#url(this.options.socketUrl, true));
    } catch {
      this.blocked += 1;
      this.#lose();
      return;
    }
    let opened = false;
    this.socket = socket;
    socket.onopen = () => {
      opened = true;
      this.#opened();
      this.#listenForSilence(socket);
    };
    socket.onmessage = (message) => {
      if (this.socket !== socket) return;
      this.#listenForSilence(socket);
      this.#take(message.data);
    };
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      this.socket = null;
      if (!opened) this.blocked += 1;
      if (event.code in FINAL) this.stop(FINAL[event.code]);
      else this.#lose();
    };
  }

  #openEvents() {
    const source = new EventSource(this.#url(this.options.eventsUrl));
    this.source = source;
    source.onopen = () => this.#opened();
    source.onerror = () => {
      if (this.source !== source) return;
      // Its own reconnect would ask from where this connection began; ours asks from where the page is.
      this.#drop();
      this.blocked += 1;
      this.#lose();
    };
    for (const type of this.options.eventTypes) source.addEventListener(type, (message) => this.source === source && this.#take(message.data));
  }

  #opened() {
    this.failures = 0;
    if (this.transport === "socket") this.socketWorks = true;
    this.options.onState("open", this.transport);
  }

  #take(text) {
    const event = JSON.parse(text);
    if (event.type !== "pong") this.options.onEvent(event);
  }

  /** A line that died without a word (sleep, a changed network) is found by asking. */
  #listenForSilence(socket) {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      if (this.socket !== socket) return;
      socket.send('{"type":"ping"}');
      this.silence = setTimeout(() => this.socket === socket && this.restart(), ANSWER);
    }, SILENCE);
  }

  #lose() {
    if (this.closed) return;
    this.#drop();
    this.options.onState("lost", this.transport);
    const delay = DELAYS[Math.min(this.failures, DELAYS.length - 1)];
    this.failures += 1;
    // Spread: a restarted server must not meet every open page at the same moment.
    this.timer = setTimeout(() => this.#open(), delay * (0.75 + Math.random() / 2));
  }

  #retryNow() {
    if (this.closed || this.socket || this.source) return;
    clearTimeout(this.timer);
    this.#open();
  }

  #drop() {
    clearTimeout(this.timer);
    clearTimeout(this.silence);
    const { socket, source } = this;
    this.socket = this.source = null;
    if (socket) socket.close();
    if (source) source.close();
  }
}
