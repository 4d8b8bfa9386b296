//! The `hydrant` binary: calls the library and turns its answer into an exit code. Nothing else.

#[global_allocator]
static BUFFERS: allocator::Buffers = allocator::Buffers;

fn main() -> std::process::ExitCode {
    allocator::give_large_buffers_back();
    hydrant::main().into()
}
