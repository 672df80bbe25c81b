//! hellors - the handler of the C template as a Rust cdylib: only the structs it needs, no bindings generator.
//! The layouts are those of gost/plugin.h, gost/component.h, gost/host.h and gost/action.h.
// SPDX-License-Identifier: MIT
#![allow(non_upper_case_globals)]

use std::ffi::{c_char, c_int, c_void};
use std::ptr::null;

type Io = *mut c_void;

#[repr(C)]
#[derive(Clone, Copy)]
struct Bytes {
    p: *const u8,
    n: usize,
}

#[repr(C)]
struct Event {
    size: u32,
    kind: u32,
    port: u32,
    tag: u32,
    status: i32,
    action: u32,
    text: *const c_char,
    result: *const c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Addr {
    family: u8,
    len: u8,
    port: u16,
    scope: u32,
    ip: [u8; 16],
    name: [u8; 256],
}

#[repr(C)]
struct Action {
    size: u32,
    kind: u32,
    tag: u32,
    port: u32,
}

#[repr(C)]
struct Dial {
    head: Action,
    network: u32,
    flags: u32,
    addr: Addr,
    timeout_ns: u64,
    node: Bytes,
}

#[repr(C)]
struct Auth {
    head: Action,
    user: Bytes,
    secret: Bytes,
}

#[repr(C)]
struct Relay {
    head: Action,
    to: u32,
    flags: u32,
    idle_ns: u64,
}

/// The first functions of struct gost_host, up to the ones used here; the order is fixed for the major version.
#[repr(C)]
struct Host {
    size: u32,
    abi_minor: u16,
    reserved: u16,
    log_level: *const i32,
    rx: extern "C" fn(Io) -> Bytes,
    peek: extern "C" fn(Io, usize) -> *const u8,
    consume: extern "C" fn(Io, usize),
    want: extern "C" fn(Io, usize),
    rx_len: extern "C" fn(Io) -> usize,
    rx_eof: extern "C" fn(Io) -> c_int,
    send: extern "C" fn(Io, *const c_void, usize) -> c_int,
    between_send_and_act: [*const c_void; 26],
    act: extern "C" fn(Io, *const Action) -> c_int,
}

#[repr(C)]
struct HandlerOps {
    size: u32,
    accepts: u32,
    step: extern "C" fn(*mut State, *const c_void, Io, *const Event) -> c_int,
    destroy: Option<extern "C" fn(*mut State)>,
}

#[repr(C)]
struct Component {
    kind: u32,
    flags: u32,
    name: *const c_char,
    aliases: *const c_char,
    summary: *const c_char,
    ops: *const HandlerOps,
    options: *const c_void,
    conf_size: u32,
    state_size: u32,
    prepare: *const c_void,
    release: *const c_void,
}

#[repr(C)]
pub struct Plugin {
    magic: u32,
    size: u32,
    header_minor: u16,
    need_minor: u16,
    component_size: u32,
    name: *const c_char,
    version: *const c_char,
    license: *const c_char,
    summary: *const c_char,
    components: *const Component,
    n_components: u32,
    opt_size: u32,
    host: *mut *const Host,
    init: *const c_void,
    worker_init: *const c_void,
    worker_fini: *const c_void,
}

unsafe impl Sync for Plugin {}
unsafe impl Sync for Component {}

static mut HOST: *const Host = null();

fn host() -> &'static Host {
    // The loader stores the table before any step runs and never changes it.
    unsafe { &*HOST }
}

const AGAIN: c_int = 1;
const EPROTO: c_int = -1001;
const ECLOSED: c_int = -1019;
const RESULT: u32 = 6;
const LINE_MAX: usize = 512;

/// Zeroed by the host.
#[repr(C)]
pub struct State {
    phase: u32,
    target: Addr,
}

fn text(s: &[u8]) -> Bytes {
    Bytes { p: s.as_ptr(), n: s.len() }
}

/// "host:port" with a name or an IPv4 address.
fn target(s: &[u8]) -> Option<Addr> {
    let at = s.iter().rposition(|&c| c == b':')?;
    let port: u16 = std::str::from_utf8(&s[at + 1..]).ok()?.parse().ok()?;
    let host = &s[..at];
    if host.is_empty() || host.len() > 255 || host.contains(&0) || port == 0 {
        return None;
    }
    let mut a = Addr { family: 1, len: host.len() as u8, port, scope: 0, ip: [0; 16], name: [0; 256] };
    if let Ok(v4) = std::str::from_utf8(host).ok()?.parse::<std::net::Ipv4Addr>() {
        a.family = 4;
        a.len = 0;
        a.ip[..4].copy_from_slice(&v4.octets());
    } else {
        a.name[..host.len()].copy_from_slice(host);
    }
    Some(a)
}

fn request(s: &mut State, io: Io) -> c_int {
    let h = host();
    let n = (h.rx_len)(io).min(LINE_MAX);
    let p = (h.peek)(io, n);
    if p.is_null() || n == 0 {
        return if (h.rx_eof)(io) != 0 { ECLOSED } else { AGAIN };
    }
    let all = unsafe { std::slice::from_raw_parts(p, n) };
    let Some(end) = all.iter().position(|&c| c == b'\n') else {
        return if n == LINE_MAX { EPROTO } else { AGAIN };
    };
    let words: Vec<&[u8]> = all[..end].split(|&c| c == b' ').collect();
    if words.len() != 4 || words[0] != b"HELLO" {
        return EPROTO;
    }
    let Some(addr) = target(words[3]) else { return EPROTO };
    s.target = addr;
    s.phase = 1;
    let a = Auth {
        head: Action { size: std::mem::size_of::<Auth>() as u32, kind: 5, tag: 1, port: 0 },
        user: text(words[1]),
        secret: text(words[2]),
    };
    (h.act)(io, &a.head);
    (h.consume)(io, end + 1);
    AGAIN
}

extern "C" fn step(state: *mut State, _conf: *const c_void, io: Io, ev: *const Event) -> c_int {
    let (s, ev, h) = unsafe { (&mut *state, &*ev, host()) };

    if s.phase == 0 {
        return request(s, io);
    }
    if ev.kind != RESULT {
        return AGAIN;
    }
    if ev.status != 0 {
        (h.send)(io, b"NO\n".as_ptr().cast(), 3);
        return ev.status;
    }
    if s.phase == 1 {
        s.phase = 2;
        let d = Dial {
            head: Action { size: std::mem::size_of::<Dial>() as u32, kind: 1, tag: 2, port: 1 },
            network: 1,
            flags: 0,
            addr: s.target,
            timeout_ns: 0,
            node: text(b""),
        };
        (h.act)(io, &d.head);
        return AGAIN;
    }
    (h.send)(io, b"OK\n".as_ptr().cast(), 3);
    let r = Relay {
        head: Action { size: std::mem::size_of::<Relay>() as u32, kind: 15, tag: 0, port: 0 },
        to: 1,
        flags: 0,
        idle_ns: 0,
    };
    (h.act)(io, &r.head);
    AGAIN
}

static OPS: HandlerOps = HandlerOps { size: std::mem::size_of::<HandlerOps>() as u32, accepts: 1, step, destroy: None };

static COMPONENTS: [Component; 1] = [Component {
    kind: 4,
    flags: 0,
    name: c"hellors".as_ptr(),
    aliases: null(),
    summary: c"the Rust template".as_ptr(),
    ops: &OPS,
    options: null(),
    conf_size: 0,
    state_size: std::mem::size_of::<State>() as u32,
    prepare: null(),
    release: null(),
}];

#[no_mangle]
pub static gost_plugin_v1: Plugin = Plugin {
    magic: 0x5453_4f47,
    size: std::mem::size_of::<Plugin>() as u32,
    header_minor: 1,
    need_minor: 1,
    component_size: std::mem::size_of::<Component>() as u32,
    name: c"hellors".as_ptr(),
    version: c"1.0".as_ptr(),
    license: c"MIT".as_ptr(),
    summary: c"the plugin template in Rust".as_ptr(),
    components: COMPONENTS.as_ptr(),
    n_components: 1,
    opt_size: 72,
    host: &raw mut HOST,
    init: null(),
    worker_init: null(),
    worker_fini: null(),
};

#[repr(C)]
struct Note {
    namesz: u32,
    descsz: u32,
    kind: u32,
    name: [u8; 8],
    desc: [u8; 16],
}

#[used]
#[link_section = ".note.gost"]
static NOTE: Note = Note { namesz: 5, descsz: 16, kind: 1, name: *b"GOST\0\0\0\0", desc: *b"handler:hellors\0" };
