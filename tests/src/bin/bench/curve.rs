//! A contest of one magnitude as a picture: seconds over it, both on logarithmic scales, a curve for each contestant.

use std::fmt::Write;

use crate::machine::Machine;
use crate::picture::escape;
use crate::race::{Contest, Standing};

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 472.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 290.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 72.0;
const COLOURS: [&str; 5] = ["#94a3b8", "#15803d", "#0369a1", "#b45309", "#7c3aed"];

/// Curves, one for each name without its magnitude.
pub(crate) fn curves(contest: &Contest, machine: &Machine) -> String {
    let (across, up) = (Scale::of(contest, |s| s.at.unwrap_or(1.0)), Scale::of(contest, |s| s.median.wall));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"24\" font-size=\"16\" fill=\"#222\">{}: seconds</text>\n",
        escape(&contest.title)
    );
    let x = |at: f64| LEFT + across.place(at) * (WIDTH - LEFT - RIGHT);
    let y = |wall: f64| HEIGHT - BOTTOM - up.place(wall) * (HEIGHT - TOP - BOTTOM);
    for (number, (name, points)) in series(contest).into_iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        let path: Vec<String> =
            points.iter().map(|s| format!("{:.1},{:.1}", x(s.at.unwrap_or(1.0)), y(s.median.wall))).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join(" ")
        );
        for standing in &points {
            point(&mut svg, x(standing.at.unwrap_or(1.0)), y(standing.median.wall), standing, (number, colour));
        }
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" fill=\"{colour}\">{}</text>",
            WIDTH - RIGHT + 12.0,
            TOP + 20.0 * number as f64,
            escape(name)
        );
    }
    magnitudes(&mut svg, contest, x);
    let machine = escape(&machine.to_string());
    let _ =
        write!(svg, "<text x=\"12\" y=\"{}\" font-size=\"10\" fill=\"#666\">{machine}</text>\n</svg>\n", HEIGHT - 12.0);
    svg
}

/// The first curve's values stand below it, the others' above.
fn point(svg: &mut String, x: f64, y: f64, standing: &Standing, (number, colour): (usize, &str)) {
    let beside = if number == 0 { 18.0 } else { -8.0 };
    let _ = write!(
        svg,
        "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>\n\
         <text x=\"{x:.1}\" y=\"{:.1}\" font-size=\"11\" text-anchor=\"middle\" fill=\"{colour}\">{:.2}</text>\n",
        y + beside,
        standing.median.wall
    );
}

/// Below the curves.
fn magnitudes(svg: &mut String, contest: &Contest, x: impl Fn(f64) -> f64) {
    let mut marks: Vec<&Standing> = contest.results.iter().collect();
    marks.dedup_by(|one, other| one.at == other.at);
    for mark in marks {
        let (at, magnitude) = (x(mark.at.unwrap_or(1.0)), mark.name.rsplit(", ").next().unwrap_or_default());
        let _ = writeln!(
            svg,
            "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#222\">{}</text>",
            HEIGHT - BOTTOM + 36.0,
            escape(magnitude)
        );
    }
}

/// What has the same name but for the magnitude, in the order of the magnitudes.
fn series(contest: &Contest) -> Vec<(&str, Vec<&Standing>)> {
    let mut series: Vec<(&str, Vec<&Standing>)> = Vec::new();
    for standing in &contest.results {
        let name = standing.name.rsplit_once(", ").map_or(standing.name.as_str(), |(name, _)| name);
        match series.iter_mut().find(|(known, _)| *known == name) {
            Some((_, points)) => points.push(standing),
            None => series.push((name, vec![standing])),
        }
    }
    series
}

/// From the least to the greatest, logarithmically, as 0 to 1.
struct Scale {
    least: f64,
    span: f64,
}

impl Scale {
    fn of(contest: &Contest, value: impl Fn(&Standing) -> f64) -> Scale {
        let logarithms = || contest.results.iter().map(|standing| value(standing).ln());
        let (least, most) =
            (logarithms().fold(f64::INFINITY, f64::min), logarithms().fold(f64::NEG_INFINITY, f64::max));
        Scale { least, span: (most - least).max(f64::EPSILON) }
    }

    fn place(&self, value: f64) -> f64 {
        (value.ln() - self.least) / self.span
    }
}
