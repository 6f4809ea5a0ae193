/** Time as places on the timeline: the server's segments, each `[start, end, left, right, folded]`. */

export const WIDTH = 1000;

/** @returns {number} where a moment (milliseconds) stands, from 0 to WIDTH */
export function place(segments, at) {
  const [start, end, left, right] = segments.find((one) => at <= one[1]) ?? segments[segments.length - 1];
  if (at >= end) return right;
  return left + (Math.max(0, at - start) / (end - start)) * (right - left);
}

/** @returns {number} the moment that stands there */
export function moment(segments, at) {
  const [start, end, left, right] = segments.find((one) => at <= one[3]) ?? segments[segments.length - 1];
  if (right <= left) return start;
  return start + Math.min(1, Math.max(0, (at - left) / (right - left))) * (end - start);
}

/** A window `[left, right]` of the scale, `factor` times as wide about `middle`, and inside. */
export function zoomed([left, right], factor, middle = (left + right) / 2) {
  const wide = Math.min(WIDTH, Math.max(0.1, (right - left) * factor));
  const share = (middle - left) / (right - left);
  const from = Math.min(Math.max(0, middle - share * wide), WIDTH - wide);
  return [from, from + wide];
}
