/* The left top and right bottom corners of words of strokes. Math.min(...numbers) fails for very many numbers. */
export function corners(words) {
  const points = words.flat(2);
  const extreme = (pick) => [0, 1].map((axis) => points.reduce((most, point) => pick(most, point[axis]), points[0][axis]));
  return [extreme(Math.min), extreme(Math.max)];
}
