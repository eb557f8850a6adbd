/* SandboxService: one handler per RPC, one file per kind of them. A handler checks its request,
 * asks the modules that own the state, and answers. */
#ifndef HEEL_SERVER_SERVICE_H
#define HEEL_SERVER_SERVICE_H

#include "base/error.h"
#include "heel/v1/sandbox.pb-c.h"
#include "proto/runtime/grpcc.h"

struct caller;
struct server_sandbox;

/* Registers every service on the caller's gRPC server. */
void service_register(struct caller *caller);

/* What every handler begins with: echoes the header heel-request-id and logs the call. */
void service_begin(struct grpcc_call *call, const struct caller *caller, const char *method);

/* Answers with the error (borrowed); an INTERNAL one is logged. */
void service_fail(struct grpcc_unary *call, const struct heel_error *error);
struct grpcc_status *service_status(const struct heel_error *error);

/* rpc_info.c */
void rpc_get_server_info(struct grpcc_unary *call, const Heel__V1__GetServerInfoRequest *request,
                         void *service);
/* rpc_sandboxes.c */
void rpc_create_sandbox(struct grpcc_unary *call, const Heel__V1__CreateSandboxRequest *request,
                        void *service);
void rpc_get_sandbox(struct grpcc_unary *call, const Heel__V1__GetSandboxRequest *request,
                     void *service);
void rpc_list_sandboxes(struct grpcc_unary *call, const Heel__V1__ListSandboxesRequest *request,
                        void *service);
void rpc_update_sandbox(struct grpcc_unary *call, const Heel__V1__UpdateSandboxRequest *request,
                        void *service);
void rpc_delete_sandbox(struct grpcc_unary *call, const Heel__V1__DeleteSandboxRequest *request,
                        void *service);
/* rpc_policy.c */
void rpc_explain_policy(struct grpcc_unary *call, const Heel__V1__ExplainPolicyRequest *request,
                        void *service);
/* rpc_run.c */
void rpc_run_command(struct grpcc_unary *call, const Heel__V1__RunCommandRequest *request,
                     void *service);
/* The sandbox is gone: RunCommand calls that are still under way forget it. */
void runs_release(struct server_sandbox *sandbox);
/* rpc_exec.c */
void rpc_exec(struct grpcc_stream *stream, void *service);
/* rpc_attach.c */
void rpc_attach(struct grpcc_stream *stream, void *service);
/* rpc_processes.c */
void rpc_start_process(struct grpcc_unary *call, const Heel__V1__StartProcessRequest *request,
                       void *service);
void rpc_get_process(struct grpcc_unary *call, const Heel__V1__GetProcessRequest *request,
                     void *service);
void rpc_list_processes(struct grpcc_unary *call, const Heel__V1__ListProcessesRequest *request,
                        void *service);
void rpc_wait_process(struct grpcc_unary *call, const Heel__V1__WaitProcessRequest *request,
                      void *service);
void rpc_signal_process(struct grpcc_unary *call, const Heel__V1__SignalProcessRequest *request,
                        void *service);
/* rpc_events.c */
void rpc_watch_events(struct grpcc_stream *stream, const Heel__V1__WatchEventsRequest *request,
                      void *service);
/* rpc_pause.c */
void rpc_pause_sandbox(struct grpcc_unary *call, const Heel__V1__PauseSandboxRequest *request,
                       void *service);
void rpc_resume_sandbox(struct grpcc_unary *call, const Heel__V1__ResumeSandboxRequest *request,
                        void *service);

#endif
