//! Pieces of psql's input.

/// No conversion between server and psql, and no schema but the system's.
pub(super) const PLAINLY: &str = "SELECT set_config('client_encoding', current_setting('server_encoding'), false), set_config('search_path', '', false);\n";

/// OIDs as an array.
pub(super) fn array(oids: &[u32]) -> String {
    let listed: Vec<String> = oids.iter().map(u32::to_string).collect();
    format!("'{{{}}}'::oid[]", listed.join(","))
}
