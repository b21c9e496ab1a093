//! A contest as a picture: a bar for each contestant, the floor as a line, the goal as a mark. Plain SVG, readable on
//! light and dark pages.

use std::fmt::Write;

use crate::machine::Machine;
use crate::race::{Contest, Standing};

const WIDTH: f64 = 820.0;
const NAMES: f64 = 360.0;
const BAR: f64 = 18.0;
const STEP: f64 = 30.0;
const TOP: f64 = 48.0;
const MARGIN: f64 = 70.0;

/// Bars of the ratios to the floor.
pub(crate) fn bars(contest: &Contest, machine: &Machine) -> String {
    let longest = contest.results.iter().map(|standing| standing.ratio).fold(1.0, f64::max);
    let scale = (WIDTH - NAMES - MARGIN) / longest;
    let height = TOP + STEP * contest.results.len() as f64 + 40.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"24\" font-size=\"16\" fill=\"#222\">{}: {}, × floor</text>\n",
        escape(&contest.title),
        contest.measure
    );
    for (place, standing) in contest.results.iter().enumerate() {
        bar(&mut svg, standing, TOP + STEP * place as f64, scale);
    }
    let (floor, bottom) = (NAMES + scale, TOP + STEP * contest.results.len() as f64);
    let _ = write!(
        svg,
        "<line x1=\"{floor}\" y1=\"{}\" x2=\"{floor}\" y2=\"{bottom}\" stroke=\"#222\" stroke-dasharray=\"3 3\"/>\n\
         <text x=\"12\" y=\"{}\" font-size=\"10\" fill=\"#666\">{}</text>\n</svg>\n",
        TOP - 8.0,
        bottom + 24.0,
        escape(&machine.to_string())
    );
    svg
}

fn bar(svg: &mut String, standing: &Standing, top: f64, scale: f64) {
    let colour = match (standing.name.starts_with("lastgood"), standing.reached()) {
        (true, Some(false)) => "#d97706",
        (true, _) => "#15803d",
        (false, _) => "#94a3b8",
    };
    let (length, baseline) = (standing.ratio * scale, top + 14.0);
    let _ = write!(
        svg,
        "<text x=\"{}\" y=\"{baseline}\" text-anchor=\"end\" fill=\"#222\">{}</text>\n\
         <rect x=\"{NAMES}\" y=\"{top}\" width=\"{length:.1}\" height=\"{BAR}\" fill=\"{colour}\"/>\n\
         <text x=\"{:.1}\" y=\"{baseline}\" fill=\"#222\">{:.2}</text>\n",
        NAMES - 8.0,
        escape(&standing.name),
        NAMES + length + 6.0,
        standing.ratio
    );
    if let Some(goal) = standing.goal {
        let x = NAMES + goal * scale;
        let (from, to) = (top - 3.0, top + BAR + 3.0);
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{from}\" x2=\"{x:.1}\" y2=\"{to}\" stroke=\"#b91c1c\" stroke-width=\"2\"/>"
        );
    }
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
