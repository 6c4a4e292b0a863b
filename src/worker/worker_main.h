// The worker process: "tripos worker --fd N" ends up here. It answers statements and writes snapshots until the server goes.
#pragma once

namespace tripos::worker {

// `fd`: the worker's end of the socket pair. The process's exit code.
[[nodiscard]] int worker_main(int fd);

}  // namespace tripos::worker
