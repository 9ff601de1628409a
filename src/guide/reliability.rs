//! What ferromq promises, with its numbers, and what it does not.
//!
//! Each line names tests that fail if it does not hold: `tests/hostile/limits.rs` has the
//! one that a line calls `hostile/limits`. A test of its own sees to it that they exist.
//!
//! # Before the handshake is done
//!
//! | What holds | Proved by |
//! |---|---|
//! | No octets of a peer make the process panic, abort or hang. A bad peer costs its own connection, and an event says why. | `hostile/greeting::what_is_no_greeting_is_refused`, `hostile/handshake::what_is_not_ready_is_refused`, `hostile/handshake::ready_truncated_anywhere_is_refused` |
//! | A peer takes part in nothing before its handshake is done: one that says nothing holds up nobody. | `hostile/stalling::a_handshake_may_break_off_anywhere` |
//! | It holds 16 KiB of memory at most, whatever it claims. | `hostile/limits::handshakes_that_claim_much_cost_no_memory`, `hostile/handshake::large_commands_are_refused_at_the_header` |
//! | It ends after 30 s ([`handshake_timeout`](crate::SocketOptions::handshake_timeout)), counted from its start and not from the last octet. (A process that was itself stopped or blocked when it ended gives it once more.) | `hostile/stalling::a_stalled_handshake_ends_in_time`, `hostile/stalling::a_trickle_does_not_prolong_a_handshake` |
//! | 1,024 are under way at a listener at most. Then the oldest of the address that has most of them is given up, never the newcomer; but as long as most come to a good end, each has one second first, and newcomers wait in the system's backlog. | `hostile/stalling::too_many_handshakes_cost_the_oldest`, `large/active::each_of_many_connections_sends_and_receives` |
//! | 64 properties, in 8 KiB, each once; a routing id of 255 bytes. | `hostile/metadata::the_number_of_properties_is_bounded`, `hostile/metadata::an_identity_is_any_at_most_255_octets` |
//! | No mechanism is negotiated: another one, or a version before 3.0, is refused. | `hostile/greeting::another_mechanism_is_refused` |
//!
//! # Memory
//!
//! | What holds | Proved by |
//! |---|---|
//! | Memory grows with what a peer has sent and not with what it claims: one that claims 1 GiB and sends nothing costs 64 KiB. (One that has just sent as much is trusted with up to 1 MiB at once.) | `hostile/limits::claims_of_1_gib_cost_no_memory`, `hostile/traffic::sizes_that_no_memory_can_hold_are_refused_at_the_header` |
//! | What a peer has sent and nobody received is bounded by `recv_hwm` (1,000 messages) and `recv_hwm_bytes` (16 MiB), whichever is reached first, and one message beyond. Then it is not read from. | `behaviour/recv_marks::the_mark_that_is_reached_first_holds`, `behaviour/recv_marks::tiny_messages_between_commands_reach_the_mark_early`, `hostile/backpressure::empty_frames_push_back_as_well` |
//! | What departed peers left unread is bounded for each socket: 64 MiB, or four times `recv_hwm_bytes` if that is more. Then nobody is read from, and nothing is lost. | `behaviour/backlog::what_departed_peers_left_unread_is_bounded_and_not_lost` |
//! | What waits for a peer is bounded by `send_hwm` (1,000 messages), what the system has not taken included. | `behaviour/send_marks::sockets_that_wait_take_as_many_as_the_mark_says`, `behaviour/send_marks::sockets_that_drop_count_each_message_beyond_the_mark` |
//! | And by [`send_hwm_bytes`](crate::SocketOptions::send_hwm_bytes), if that is set: so many bytes, and one message more. | `behaviour/send_marks_bytes::both_marks_hold`, `behaviour/send_marks_bytes::what_waits_for_nobody_yet_is_no_more_than_the_mark_and_one_message` |
//! | A message has 1,000,000 frames at most, or `max_message_frames`, and `max_message_size` bytes if that is set. | `hostile/traffic::the_number_of_frames_is_bounded`, `hostile/traffic::a_socket_may_take_fewer_frames`, `hostile/traffic::the_size_limit_is_inclusive_and_counts_the_whole_message` |
//! | A peer subscribes to 1,000,000 topics at most, of 64 MiB together. They are a set, and gone with the peer. | `hostile/pubsub::too_many_topics_cost_the_connection`, `hostile/pubsub::topics_have_at_most_64_mib_together` |
//! | One answer to a PING is owed, however many come. | `hostile/limits::a_flood_of_pings_leaves_one_answer_owed` |
//! | All of it is given back when the peer goes. | `hostile/limits::peers_that_come_and_go_leave_nothing`, `behaviour/resources::no_descriptor_outlives_its_socket` |
//! | An idle connection keeps no buffer. | `idle::an_idle_connection_keeps_no_buffer` |
//!
//! Other values, and bounds that are off by default, are options; those for peers that
//! nobody trusts come with one call:
//! [`SocketOptions::for_untrusted_peers`](crate::SocketOptions::for_untrusted_peers) has
//! both columns.
//!
//! # Who may come in
//!
//! | What holds | Proved by |
//! |---|---|
//! | Nobody talks a socket out of its mechanism. | `behaviour/security::nobody_talks_a_server_out_of_its_mechanism`, `behaviour/security::nobody_talks_a_client_out_of_its_mechanism` |
//! | Who is not let in learns a number at most, and comes back slowly. | `behaviour/security::wrong_credentials_are_denied`, `behaviour/security::who_is_denied_comes_back_slowly_unless_for_now` |
//! | Who is not let in is reported, with the reason and where it came from, before it hears of it. Neither the deadline of the handshake nor a flood of others hides that. | `behaviour/denied::a_guess_shortly_before_the_deadline_is_no_timeout`, `behaviour/denied::who_has_heard_that_it_is_denied_has_been_reported`, `behaviour/denied::the_log_says_who_was_denied_and_from_where` |
//! | A policy that panics lets nobody in, and harms nobody else. One whose peer has left is given up. | `behaviour/denied::a_policy_that_panics_lets_nobody_in_and_harms_nobody_else`, `behaviour/denied::a_server_that_dials_survives_the_panic_of_its_policy`, `behaviour/denied::a_policy_is_given_up_when_a_peer_that_trickles_leaves` |
//! | Who may come in does so while others hammer. | `behaviour/security::the_right_one_comes_in_while_fifty_hammer` |
//! | A message is said to be of who sent it, also where another has come to the same endpoint since. | `behaviour/with_peer::whoever_comes_to_an_endpoint_later_is_not_taken_for_who_was_there`, `behaviour/successors::what_a_router_sent_to_one_is_not_for_the_next` |
//! | What a socket that dials meant for one peer (ROUTER, REP, PUB and XPUB) is dropped and counted when another comes to the endpoint: one with another routing id, or let in as another user. | `behaviour/successors::what_a_router_sent_to_one_is_not_for_the_next`, `behaviour/successors::a_reply_is_for_who_asked`, `behaviour/successors::what_was_published_for_one_is_not_for_the_next` |
//!
//! # Messages
//!
//! | What holds | Proved by |
//! |---|---|
//! | Of one peer messages come in their order, whole or not at all, and at most once. | `hostile/traffic::messages_come_whole_or_not_at_all`, `behaviour/redialling::no_cut_doubles_anything` |
//! | What arrived whole is received, also after its sender has left, or did something wrong later. | `behaviour/leaving::a_fault_later_in_the_stream_takes_nothing_back`, `hostile/traffic::whole_messages_before_a_fault_are_received` |
//! | What is queued for an endpoint that is dialled again goes out on the next connection, in order, but for the one message that was cut. | `behaviour/redialling::what_a_connecting_socket_queued_survives_in_order` |
//! | `close` delivers what was accepted, for as long as `linger` says, and says how many messages were not. | `behaviour/lingering::close_flushes_everything`, `behaviour/lingering::without_linger_close_says_exactly_what_was_lost` |
//! | A message that is lost on our side is counted, with its cause. | `behaviour/send_marks::sockets_that_drop_count_each_message_beyond_the_mark`, `behaviour/lingering::unread_input_is_counted_when_the_socket_closes` |
//! | A future that is dropped loses nothing: a receive took nothing, a send sent nothing. | `behaviour/cancelling::a_storm_of_cancelled_calls_loses_and_doubles_nothing` |
//! | All of that holds for hours, of all types over all transports, while others come and go, are killed and are cut: between those that stay nothing is lost, doubled or out of order, and memory, descriptors and tasks stay as they are. | `large/soak::nothing_is_lost_doubled_disordered_or_leaked` |
//!
//! # Time
//!
//! | What holds | Proved by |
//! |---|---|
//! | A peer that is lost is dialled again after `reconnect_interval` (100 ms) and as much of jitter at most; one that refused us or broke the protocol slowly, from 1 s to 60 s, and one that ends the handshake of PLAIN or CURVE without a word less and less, up to once a second. | `behaviour/redialling::a_lost_endpoint_is_dialled_at_the_interval`, `hostile/redial::a_server_that_speaks_garbage_is_dialled_slowly`, `behaviour/security::a_client_with_the_key_of_another_server_is_told_nothing_and_comes_back_slowly` |
//! | Where a listener goes and comes back, its clients are back within 5 s (shown for 2,000 on two processors, which took 0.8 s), spread out, and nothing leaks. | `large/bounce::all_are_back_after_each_bounce_spread_out_and_nothing_leaks` |
//! | Subscriptions are there again before a connection is reported as ready. | `behaviour/reconnecting::ready_means_subscribed` |
//! | With heartbeats, a peer that falls silent is given up in time, and no other is: not one that we hold back, nor one that takes long over a large message. | `hostile/heartbeats::a_peer_that_falls_silent_is_given_up`, `behaviour/heartbeats::a_peer_that_is_held_back_is_not_given_up_for_its_silence`, `behaviour/heartbeats::a_message_that_takes_longer_than_the_heartbeats_arrives` |
//! | Whose runtime was blocked for however long does not give up a peer for that, nor a handshake: it reads what has come, and when it is late itself each gets its time once more. | `behaviour/blocked::one_that_was_blocked_does_not_give_up_a_healthy_peer`, `behaviour/blocked::a_handshake_that_a_block_interrupts_goes_on` |
//! | The other side cannot know: with heartbeats of its own it gives up one that is blocked or suspended in its own time, dials it again, and what it accepts from then on arrives. | `behaviour/blocked::a_healthy_peer_gives_up_one_that_is_blocked_and_comes_back`, `large/suspended::peers_are_back_after_a_suspension_and_lose_nothing_that_was_sent_since` |
//! | Without them a connection survives a suspension of one side. Nothing looks at the wall clock, so it may jump. | `large/suspended::a_connection_survives_a_suspension_of_the_other_side` |
//! | Nobody waits for the work that one peer causes: many subscriptions, a long queue that is given up. | `behaviour/long_work::peers_with_many_subscriptions_do_not_hold_up_a_good_one`, `behaviour/long_work::a_long_queue_is_given_up_and_nobody_waits` |
//! | A good peer's subscription reaches the application of an XPUB, whatever another peer has left it to receive. | `hostile/pubsub::whoever_toggles_for_ever_costs_others_no_notice` |
//! | A good peer is answered in time, whatever a hundred others send. | `hostile/fairness::a_good_peer_is_answered_in_time_among_a_hundred_that_send_all_kinds` |
//! | Connections that are all in use are all served: 200 in the test, 9,900 in its long form. | `large/active::each_of_many_connections_sends_and_receives` |
//! | A socket all of whose runtimes have ended says so to whoever would wait for ever, and comes back with a new `bind` or `connect`. | `behaviour/deserted::a_receiver_that_waits_is_told`, `behaviour/deserted::a_new_connect_or_bind_brings_it_back` |
//! | Short of descriptors, a listener waits from 10 ms to 1 s, says so, and recovers by itself. | `hostile/exhaustion::without_descriptors_a_listener_waits_and_recovers` |
//! | Nothing outlives its socket: no task, no descriptor, no file. | `behaviour/resources::no_task_outlives_its_socket`, `behaviour/resources::no_descriptor_outlives_its_socket`, `behaviour/resources::the_ipc_file_goes_with_its_socket` |
//!
//! # What is not promised
//!
//! - **That a message arrives.** `Ok` of `send` means that the socket has accepted it. What
//!   was given to the system may be lost with the connection, and no counter sees that; ask
//!   for an answer where it matters, and make requests idempotent.
//! - **Order between peers**, or across two sockets.
//! - **That PUB reaches everyone**: it drops for a subscriber that is full, and who
//!   subscribes late has missed what was before.
//! - **That a program which returns from `main` has sent everything**: close the socket, or
//!   wait for its context.
//! - **Bounds that are not set.** By default, as with libzmq, messages have no largest size,
//!   and any number of peers may come.
